"""The thread of each server process that delivers logout notices."""

import logging
import threading

from django.utils import timezone

from accounts.backchannel.notices import deliver_due
from accounts.models.logout_notices import NOTICES_WRITTEN
from config.kernel.database import release_connection

logger = logging.getLogger(__name__)

# For what other processes left, and for what is tried again; this process's own wake it at once.
IDLE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class DeliveryThread:
    """Delivers what is due, whenever notices were written in this process and every few seconds.

    While that can't be done at all, as without the database, it is tried less and less often.
    """

    def __init__(self, written: threading.Event = NOTICES_WRITTEN) -> None:
        self._written = written
        self._pause = IDLE_SECONDS

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self.run, name="logout-courier", daemon=True).start()

    def run(self) -> None:
        while True:
            # Before looking: what is written during a round starts the next one.
            self._written.clear()
            self._pause = self._round()
            self._written.wait(self._pause)

    def _round(self) -> float:
        try:
            deliver_due(due_by=timezone.now())
        except Exception:
            # Whatever it was: nobody would notice that the thread died.
            if self._pause == IDLE_SECONDS:
                logger.exception("Logout notices can't be delivered; this goes on being tried.")
            return min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        finally:
            release_connection()
        return IDLE_SECONDS

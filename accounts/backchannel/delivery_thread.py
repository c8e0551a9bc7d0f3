"""The thread of each server process that delivers logout notices."""

import logging
import threading

from django.utils import timezone

from accounts.backchannel.notices import deliver_due
from accounts.models.logout_notices import NOTICES_WRITTEN
from config.kernel.database import release_connection

logger = logging.getLogger(__name__)

# For notices of other processes and for retries; this process's own notices wake it at once.
IDLE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class DeliveryThread:
    """Delivers due notices, when this process has stored new ones and every few seconds.

    While a round fails as a whole, for example without the database, the pause gets longer.
    """

    def __init__(self, written: threading.Event = NOTICES_WRITTEN) -> None:
        self._written = written
        self._pause = IDLE_SECONDS

    def start(self) -> None:
        """Start the thread, which ends with the process."""
        threading.Thread(target=self.run, name="logout-delivery", daemon=True).start()

    def run(self) -> None:
        while True:
            # Cleared before the round: notices that are stored during it start the next one.
            self._written.clear()
            self._pause = self._round()
            self._written.wait(self._pause)

    def _round(self) -> float:
        try:
            deliver_due(due_by=timezone.now())
        except Exception:
            # Any exception is caught, since it would not be noticed that the thread ended.
            if self._pause == IDLE_SECONDS:
                logger.exception("Logout notices can't be delivered; this goes on being tried.")
            return min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        finally:
            release_connection()
        return IDLE_SECONDS

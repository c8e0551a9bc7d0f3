"""The thread of each server process that delivers logout notices."""

import logging
import threading
from datetime import datetime

from django.utils import timezone

from accounts.backchannel.notices import deliver_due
from accounts.models import LogoutNotice
from accounts.models.logout_notices import NOTICES_WRITTEN
from config.kernel.database import release_connection

logger = logging.getLogger(__name__)

# For notices of processes that have ended; this process's own notices wake it at once.
IDLE_SECONDS = 15.0
# A notice that is due already is another process's by then.
SHORTEST_PAUSE_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 60.0


class DeliveryThread:
    """Delivers notices when they are due, and at once those that this process has stored.

    Between rounds it sleeps until the next one is due, for `IDLE_SECONDS` at most. While a round
    fails as a whole, for example without the database, the pause gets longer.
    """

    def __init__(self, written: threading.Event = NOTICES_WRITTEN) -> None:
        self._written = written
        self._pause_after_failure = PAUSE_AFTER_FAILURE_SECONDS

    def start(self) -> None:
        """Start the thread, which ends with the process."""
        threading.Thread(target=self.run, name="logout-delivery", daemon=True).start()

    def run(self) -> None:
        while True:
            # Cleared before the round: notices that are stored during it start the next one.
            self._written.clear()
            self._written.wait(self._round())

    def _round(self) -> float:
        """Deliver what is due, and return how many seconds to sleep."""
        try:
            pause = _deliver()
        except Exception:
            # Any exception is caught, since it would not be noticed that the thread ended.
            if self._pause_after_failure == PAUSE_AFTER_FAILURE_SECONDS:
                logger.exception("Logout notices can't be delivered; this goes on being tried.")
            pause = self._pause_after_failure
            self._pause_after_failure = min(2 * pause, LONGEST_PAUSE_SECONDS)
            return pause
        finally:
            release_connection()
        self._pause_after_failure = PAUSE_AFTER_FAILURE_SECONDS
        return pause


def _deliver() -> float:
    """Deliver what is due; return the seconds until the next notice is due."""
    now, due_at = timezone.now(), LogoutNotice.objects.next_due_at()
    if due_at and due_at <= now:
        deliver_due(due_by=now)
        now, due_at = timezone.now(), LogoutNotice.objects.next_due_at()
    return _seconds_until(due_at, now)


def _seconds_until(due_at: datetime | None, now: datetime) -> float:
    if due_at is None:
        return IDLE_SECONDS
    return min(max((due_at - now).total_seconds(), SHORTEST_PAUSE_SECONDS), IDLE_SECONDS)

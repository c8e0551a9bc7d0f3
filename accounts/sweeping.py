"""Deleting what is past its time while people log in: each process does so once in a while."""

import time
from datetime import timedelta


class Sweeper:
    """Tells when this process sweeps next; the first time is a period after the process began."""

    def __init__(self, every: timedelta) -> None:
        self.every = every.total_seconds()
        self.due_at = time.monotonic() + self.every

    def is_due(self) -> bool:
        """Tell whether it is time to sweep; whoever is told so sweeps."""
        if time.monotonic() < self.due_at:
            return False
        self.due_at = time.monotonic() + self.every
        return True

"""Deleting what is past its time while people log in: each process does so once in a while."""

import time
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

AT_ONCE = 1000
"""rows; whoever's request it is waits for no more"""


class Sweeper:
    """Sweeps when it is due; the first time is a period after the process began."""

    def __init__(self, every: timedelta) -> None:
        self.every = every.total_seconds()
        self.due_at = time.monotonic() + self.every

    def sweep_if_due(self, over: QuerySet[Any]) -> None:
        """Delete some of what is over, if it is time; where there is more, it is time again."""
        if time.monotonic() < self.due_at:
            return
        keys = list(over.values_list("pk", flat=True)[:AT_ONCE])
        # Without the rows' own columns: strangers decide how long those are.
        over.model._default_manager.filter(pk__in=keys).only("pk").delete()
        self.due_at = time.monotonic() + (0 if len(keys) == AT_ONCE else self.every)

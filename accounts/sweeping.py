"""Deleting expired rows while requests are served: each process does it once in a while."""

import time
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

AT_ONCE = 1000
"""rows; the request that sweeps doesn't wait for more"""


class Sweeper:
    """Sweeps once per period; the first time one period after the process started."""

    def __init__(self, every: timedelta) -> None:
        self.every = every.total_seconds()
        self.due_at = time.monotonic() + self.every

    def is_due(self) -> bool:
        """Tell whether the period is over."""
        return time.monotonic() >= self.due_at

    def sweep_if_due(self, over: QuerySet[Any]) -> None:
        """Delete some of the expired rows, if it is due; it stays due while there are more."""
        if not self.is_due():
            return
        keys = list(over.values_list("pk", flat=True)[:AT_ONCE])
        # Other columns aren't loaded: callers decide how long their values are.
        over.model._default_manager.filter(pk__in=keys).only("pk").delete()
        self.due_at = time.monotonic() + (0 if len(keys) == AT_ONCE else self.every)

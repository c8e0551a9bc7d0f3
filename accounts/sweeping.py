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
        if self.is_due():
            # Other columns aren't loaded: callers decide how long their values are.
            self._some_of(over).only("pk").delete()

    def clear_if_due(self, over: QuerySet[Any], column: str) -> None:
        """Set a column of some of the rows to null, if it is due; it stays due as long."""
        if self.is_due():
            self._some_of(over).update(**{column: None})

    def _some_of(self, over: QuerySet[Any]) -> QuerySet[Any]:
        keys = list(over.values_list("pk", flat=True)[:AT_ONCE])
        self.due_at = time.monotonic() + (0 if len(keys) == AT_ONCE else self.every)
        some: QuerySet[Any] = over.model._default_manager.filter(pk__in=keys)
        return some

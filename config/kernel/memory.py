"""Configuration in memory: what operators set, read from the database at most every 2 seconds.

A process that changes configuration reads it anew as soon as the change is committed; the others
serve the previous state for up to `FRESH_SECONDS`. Within a transaction that has changed
configuration nothing is taken from memory, nor put there.

Only what may be old belongs here: never the status of a user or of a session.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from django.db import connection, models, transaction

FRESH_SECONDS = 2.0
MOST_VALUES = 4096

Row = TypeVar("Row", bound=models.Model)
Key = TypeVar("Key")
Value = TypeVar("Value")

# Counts the changes of configuration that this process has committed.
_changes = 0


class Memory(Generic[Key, Value]):
    """A decorator: keep what a function read from the database, by its only argument.

    An exception isn't kept: an unknown name is looked up each time, and a read that fails leaves
    nothing older in use. Values are shared by threads, so callers must not change them.
    """

    def __init__(self, read: Callable[[Key], Value]) -> None:
        self._read = read
        self._values: dict[Key, tuple[int, float, Value]] = {}

    def __call__(self, key: Key) -> Value:
        if _is_changing():
            return self._read(key)
        changes, now = _changes, time.monotonic()
        kept = self._values.get(key)
        if kept and kept[0] == changes and now < kept[1]:
            return kept[2]
        value = self._read(key)
        if len(self._values) >= MOST_VALUES:
            self._values.clear()
        # Time and changes are those before the read: one that was committed meanwhile may be
        # missing from the value.
        self._values[key] = changes, now + FRESH_SECONDS, value
        return value


def forget_configuration() -> None:
    """Read all configuration anew, in this process."""
    global _changes  # noqa: PLW0603 - one count for the process
    _changes += 1


def configuration_changed() -> None:
    """Call it after a change of configuration: it is read anew once the change is committed."""
    transaction.on_commit(forget_configuration)


class ConfigurationQuerySet(models.QuerySet[Row]):
    """Rows of configuration: a change of any number of them is noticed."""

    def update(self, **kwargs: Any) -> int:
        changed = super().update(**kwargs)
        configuration_changed()
        return changed

    def delete(self) -> tuple[int, dict[str, int]]:
        deleted = super().delete()
        configuration_changed()
        return deleted

    # As of Django's: a manager has no `delete`, which would delete every row.
    delete.queryset_only = True  # type: ignore[attr-defined]  # as Django sets it

    def bulk_create(self, objs: Iterable[Row], *args: Any, **kwargs: Any) -> list[Row]:
        rows = super().bulk_create(objs, *args, **kwargs)
        configuration_changed()
        return rows


class Configuration(models.Model):
    """A row that operators change, and that logins read from memory.

    The manager of each model is that of a `ConfigurationQuerySet`.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        configuration_changed()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **kwargs)
        configuration_changed()
        return deleted


def _is_changing() -> bool:
    """Tell whether this thread's transaction has changed configuration."""
    waiting = connection.run_on_commit if connection.in_atomic_block else ()
    return any(entry[1] is forget_configuration for entry in waiting)

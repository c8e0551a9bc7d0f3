"""The store of the sandbox's codes, tokens and scripted faults.

`Store` is the part of Django's cache interface that the sandbox uses, so that several processes
share one sandbox through a shared cache: https://docs.djangoproject.com/en/5.2/topics/cache/
The cache must not evict entries before they expire (Django's `MAX_ENTRIES` is 300 by default): a
used code whose entry is evicted could be exchanged twice.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

Clock = Callable[[], float]
"""Returns the time in Unix seconds."""

_WRITES_BETWEEN_PURGES = 1000


class Store(Protocol):
    """Keys are at most 100 characters of printable ASCII; values are plain data, never mutated.

    `timeout` is in seconds, None keeps the entry for ever. `add` stores only if the key is free
    and returns whether it did; it must be atomic, since all single use depends on it.
    """

    def get(self, key: str, /) -> Any: ...

    def set(self, key: str, value: Any, /, timeout: float | None) -> None: ...

    def add(self, key: str, value: Any, /, timeout: float | None) -> bool: ...


class MemoryStore:
    """A thread-safe store within one process, with `clock` for the time."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[Any, float | None]] = {}
        self._writes = 0

    def get(self, key: str) -> Any:
        with self._lock:
            return self._live_value(key)

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        with self._lock:
            self._write(key, value, timeout)

    def add(self, key: str, value: Any, timeout: float | None) -> bool:
        with self._lock:
            if self._live_value(key) is not None:
                return False
            self._write(key, value, timeout)
            return True

    def _live_value(self, key: str) -> Any:
        value, expires_at = self._entries.get(key, (None, None))
        return None if self._is_over(expires_at) else value

    def _write(self, key: str, value: Any, timeout: float | None) -> None:
        expires_at = None if timeout is None else self._clock() + timeout
        self._entries[key] = (value, expires_at)
        self._writes += 1
        if self._writes % _WRITES_BETWEEN_PURGES == 0:
            self._entries = {
                kept: entry for kept, entry in self._entries.items() if not self._is_over(entry[1])
            }

    def _is_over(self, expires_at: float | None) -> bool:
        return expires_at is not None and self._clock() >= expires_at

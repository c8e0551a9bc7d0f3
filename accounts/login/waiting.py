"""Waiting for another request of the same code, without holding a connection or all threads."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.conf import settings

from config.kernel.database import release_connection

LOOK_AGAIN_SECONDS = 0.05
MOST_FOR_ONE_KEY = 8

Found = TypeVar("Found")

_lock = threading.Lock()
_waiters: Counter[str] = Counter()


def wait_for(
    look: Callable[[], Found | None], key: str, *, seconds: float, share: float = 1.0
) -> Found | None:
    """Look until there is something, at most for these seconds; return None if there is nothing.

    It looks once, without waiting, if 8 threads of this process wait for the same key, or a quarter
    of its threads wait for any: repeated codes must leave room for logins. ``share`` is the part of
    this quarter that may be taken already.
    """
    with _waiter(key, share) as may_wait:
        deadline = time.monotonic() + (seconds if may_wait else 0)
        while (found := look()) is None and time.monotonic() < deadline:
            release_connection()
            time.sleep(LOOK_AGAIN_SECONDS)
        return found


@contextmanager
def _waiter(key: str, share: float) -> Iterator[bool]:
    """Count this thread as a waiter in the block, if there is room for one more."""
    most = settings.THREADS_PER_WORKER // 4 * share
    with _lock:
        may_wait = _waiters[key] < MOST_FOR_ONE_KEY and _waiters.total() < most
        if may_wait:
            _waiters[key] += 1
    try:
        yield may_wait
    finally:
        if may_wait:
            with _lock:
                _waiters[key] -= 1
                if not _waiters[key]:
                    del _waiters[key]

"""Limits on refused attempts, per address and per application.

Successes aren't counted: many people share a carrier's address. When an application's limit is
reached, only addresses with a recent refusal have to wait, so that junk requests with its public
client_id can't lock its users out.

The counters are in the shared cache. An attempt looks at its own only if one of them is among the
full ones, of which each process knows at once those that it filled, and those of other processes
within `FULL_READ_SECONDS`: an attempt that isn't near a limit costs nothing.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import SimpleRateThrottle

from config.kernel.addresses import site_of
from config.kernel.errors import DomainError, TooManyRequests

# Django's database cache sets this timeout, in seconds, on every key that it increments.
COUNTED_UP_LIVES = 300
FULL_READ_SECONDS = 0.2
MOST_FULL = 1_000
_FULL = "refused:full"


class _Rate(SimpleRateThrottle):
    """Parses a rate such as ``60/min`` as DRF does; nothing else of the base class is used."""

    def __init__(self) -> None:
        """Skip the base class, which reads a rate from DRF's settings."""


@dataclass(frozen=True)
class Counter:
    """Refusals of one address or application within the current window of its rate."""

    kind: str
    name: str
    rate: str

    @property
    def limit(self) -> int:
        return _Rate().parse_rate(self.rate)[0] or 0

    @property
    def seconds(self) -> int:
        return _Rate().parse_rate(self.rate)[1] or 1

    @property
    def key(self) -> str:
        window = int(time.time()) // self.seconds
        name = hashlib.sha256(self.name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"refused:{self.kind}:{name}:{window}"

    def remaining_seconds(self) -> int:
        """Return the seconds until the current window ends."""
        return self.seconds - int(time.time()) % self.seconds

    def add(self) -> int:
        """Count one more refusal; return how many there are."""
        if cache.add(self.key, 1, timeout=self.seconds):
            return 1
        try:
            count = cache.incr(self.key)
        except ValueError:
            cache.set(self.key, 1, timeout=self.seconds)
            return 1
        if self.seconds > COUNTED_UP_LIVES:
            cache.touch(self.key, timeout=self.seconds)
        return count


class FullCounters:
    """The keys of the counters that have reached their limit, with the time until which they count.

    Two processes that write at once may lose a key of one of them for the others: its next refusal,
    which is counted as well, adds it again. The process itself keeps its own.
    """

    def __init__(self) -> None:
        self._own: dict[str, float] = {}
        self._known: dict[str, float] = {}
        self._read_at = -FULL_READ_SECONDS
        self._lock = threading.Lock()

    def has_any(self, keys: set[str]) -> bool:
        """Tell whether one of the counters may be full; with very many full ones any may be."""
        if time.monotonic() - self._read_at >= FULL_READ_SECONDS:
            began = time.monotonic()
            self._known = cache.get(_FULL, {})
            self._read_at = began
        return any(
            len(full) >= MOST_FULL or not full.keys().isdisjoint(keys)
            for full in (self._known, self._own)
        )

    def add(self, counter: Counter) -> None:
        """Note that a counter is full, for all processes."""
        now = time.time()
        with self._lock:
            own = {**self._own, counter.key: now + counter.remaining_seconds()}
            self._own = dict(_current(own, now))
            known = _current({**cache.get(_FULL, {}), **self._own}, now)
            cache.set(_FULL, dict(islice(known, MOST_FULL)), timeout=None)


def _current(ends: dict[str, float], now: float) -> Iterator[tuple[str, float]]:
    return ((key, end) for key, end in ends.items() if end > now)


full_counters = FullCounters()


class LoginThrottle:
    """The limits that apply to one request to a login endpoint."""

    def __init__(self, *, address: str, client_id: str) -> None:
        site = site_of(address)
        by_address = Counter("address", site, settings.THROTTLE_LOGIN_PER_ADDRESS)
        by_application = Counter("application", client_id, settings.THROTTLE_LOGIN_PER_APPLICATION)
        self.limits = [counter for counter in (by_address, by_application) if counter.rate]
        # Recent refusals are counted per address even without a limit per address.
        self.recent = by_address if by_address.rate else Counter("recent", site, "1/min")

    def check(self) -> None:
        """Refuse a caller whose limit is reached.

        Raises:
            TooManyRequests: ``retry_after`` is the number of seconds until the window ends.

        """
        keys = {counter.key for counter in self.limits}
        if not keys or not full_counters.has_any(keys):
            return
        refused = cache.get_many({counter.key for counter in [*self.limits, self.recent]})
        for counter in self.limits:
            reached = refused.get(counter.key, 0) >= counter.limit
            if reached and refused.get(self.recent.key, 0):
                raise TooManyRequests(retry_after=counter.remaining_seconds())

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run the block unless the caller has to wait; count a refusal that it raises.

        A refusal that this server, WeChat or the operator caused isn't counted.

        Raises:
            TooManyRequests: the caller has to wait.

        """
        self.check()
        try:
            yield
        except DomainError as error:
            if error.is_callers_doing and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self.count_refusal()
            raise

    def count_refusal(self) -> None:
        """Count a refused attempt of this caller."""
        for counter in {*self.limits, self.recent}:
            if counter.add() >= counter.limit and counter in self.limits:
                full_counters.add(counter)

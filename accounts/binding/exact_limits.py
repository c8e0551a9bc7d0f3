"""Counting tries exactly: each is counted before it is made, so parallel tries get no more.

The login throttles (accounts/login/throttles.py) count in the cache, which may miss parallel
requests. These limits are rows, for values that can be guessed: a password, a code, an address.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from accounts.models import Tally
from config.kernel.database import save_unless_taken
from config.kernel.encryption import keyed_hash
from config.kernel.errors import TooManyRequests

WINDOW = timedelta(hours=1)


def count_try(pool_id: UUID, kind: str, target: str, *, limit: int, now: datetime) -> None:
    """Count one try of this kind at this target, within the current hour.

    Raises:
        TooManyRequests: the limit is reached; ``retry_after`` is the time until the next hour.

    """
    begins = _window(now)
    places = Tally.objects.filter(pool=pool_id, name=_name(kind, target), begins_at=begins)
    if not (_take(places, limit) or _first(pool_id, kind, target, begins) or _take(places, limit)):
        wait = begins + WINDOW - now
        raise TooManyRequests(retry_after=int(wait.total_seconds()) + 1)


def uncount_try(pool_id: UUID, kind: str, target: str, *, now: datetime) -> None:
    """Take back a try that should not count."""
    places = Tally.objects.filter(pool=pool_id, name=_name(kind, target), begins_at=_window(now))
    places.filter(taken__gt=0).update(taken=F("taken") - 1)


def _take(places: QuerySet[Tally], limit: int) -> bool:
    return bool(places.filter(taken__lt=limit).update(taken=F("taken") + 1))


def _first(pool_id: UUID, kind: str, target: str, begins: datetime) -> bool:
    tally = Tally(pool_id=pool_id, name=_name(kind, target), begins_at=begins, taken=1)
    return save_unless_taken(tally, "accounts_tally_of_window", force_insert=True)


def _name(kind: str, target: str) -> str:
    return keyed_hash("tally", kind, target).hex()


def _window(now: datetime) -> datetime:
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

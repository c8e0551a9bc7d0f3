"""Counting tries exactly: each takes a place before it is made, so many at once get no more.

The throttles of the doors (accounts/login/throttles.py) count in the cache, which may miss some of
the same instant. These are rows, for what somebody could guess: a password, a code, whose address.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from accounts.models import Tally
from config.kernel.database import save_unless_taken
from config.kernel.encryption import keyed_hash
from config.kernel.errors import TooManyRequests

WINDOW = timedelta(hours=1)


def take_place(pool_id: UUID, kind: str, target: str, *, limit: int, now: datetime) -> None:
    """Take one of the places that there are within an hour for this kind of try at this target.

    Raises:
        TooManyRequests: none is left; ``retry_after`` says when the next hour begins.

    """
    begins = _window(now)
    places = Tally.objects.filter(pool=pool_id, name=_name(kind, target), begins_at=begins)
    if not (_take(places, limit) or _first(pool_id, kind, target, begins) or _take(places, limit)):
        wait = begins + WINDOW - now
        raise TooManyRequests(retry_after=int(wait.total_seconds()) + 1)


def give_back(pool_id: UUID, kind: str, target: str, *, now: datetime) -> None:
    """Return the place of a try that isn't to be counted."""
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

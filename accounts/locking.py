"""One rule against races about people: whoever changes what is a user's locks the user first.

Several are locked by one statement, in the order of their ids, so that nobody waits in a circle.
What was read before the lock may have changed until it was held: it is compared again, and a
difference raises `LostRace`, upon which the transaction starts again.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q

from accounts import refusals
from accounts.models import User
from accounts.sessions.access import InvalidToken, merged_hint
from config.kernel.errors import ServiceUnavailable

# Each lost race means that somebody else's row is now there to be found: two suffice in practice.
ATTEMPTS = 5
_DEADLOCK = "40P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

Result = TypeVar("Result")


class LostRace(Exception):
    """Somebody else changed, meanwhile, what this transaction rests on."""


def lock_users(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users of the pool until the transaction ends, and return them as they are now."""
    return _locked(Q(pool=pool_id, pk__in=set(user_ids)))


def lock_with_tombstones(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users, and whoever was merged into them."""
    wanted = set(user_ids)
    return _locked(Q(pool=pool_id) & (Q(pk__in=wanted) | Q(merged_into__in=wanted)))


def in_transaction(attempt: Callable[[], Result]) -> Result:
    """Make an attempt in a transaction of its own, again each time it loses a race.

    Raises:
        ServiceUnavailable: it lost every time.

    """
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return attempt()
        except (IntegrityError, LostRace) as error:
            lost_race: Exception = error
        except OperationalError as error:
            if not _is_deadlock(error):
                raise
            lost_race = error
    raise ServiceUnavailable from lost_race


def require_active(user: User) -> None:
    """Refuse a locked user who was kept out since their token was looked at.

    Raises:
        UserSuspended, AccountClosed: they are.
        InvalidToken: they were merged into another, which it names.

    """
    if user.status == User.Status.SUSPENDED:
        raise refusals.UserSuspended
    if user.status == User.Status.CLOSED:
        raise refusals.AccountClosed
    if user.status == User.Status.MERGED:
        raise InvalidToken(**merged_hint(user))


def _is_deadlock(error: OperationalError) -> bool:
    # PostgreSQL ended one of those who waited in a circle; it is free to start again.
    return getattr(error.__cause__, "sqlstate", "") == _DEADLOCK


def _locked(wanted: Q) -> dict[UUID, User]:
    # Rows that others refer to may still be inserted meanwhile: no_key lets foreign keys pass.
    users = User.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in users}

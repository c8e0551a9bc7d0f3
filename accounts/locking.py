"""One rule against races about people: who changes what is a user's locks the user first.

Several users are locked by one statement, in the order of their ids, so that no two transactions
wait for each other. What was read before the lock may have changed until it was held: it is
compared again, and a difference raises `LostRace`, upon which the transaction starts again.
"""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q

from accounts import refusals
from accounts.models import User
from config.kernel.database import violated_constraint
from config.kernel.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

# Each lost race means that the winner's row is now there to be found: two suffice in practice.
ATTEMPTS = 5
RACED_FOR = frozenset(
    {
        "accounts_linkedaccount_openid",
        "accounts_linkedaccount_unionid",
        "accounts_linkedaccount_one_openid_per_app",
        "accounts_user_verified_phone_number",
        "accounts_conflict_pair",
        "accounts_conflict_openid",
        "accounts_wechatevent_content",
    }
)
"""The unique constraints at which transactions meet that began before the other's row was there.

Any other violated constraint is a fault of ours, which another attempt doesn't mend.
"""
_DEADLOCK = "40P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class LostRace(Exception):
    """Another transaction changed, meanwhile, what this one rests on."""


def in_transaction(attempt: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a function run in a transaction of its own, again each time it loses a race.

    It raises ServiceUnavailable where it lost every time.
    """

    @wraps(attempt)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for _attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    return attempt(*args, **kwargs)
            except (LostRace, IntegrityError, OperationalError) as error:
                if not _is_lost_race(error):
                    raise
                lost_race = error
        logger.error("%s lost %s races in a row.", attempt.__name__, ATTEMPTS, exc_info=lost_race)
        raise ServiceUnavailable from lost_race

    return run


def lock_users(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users of the pool until the transaction ends, and return them as they are now."""
    return _locked(Q(pool=pool_id, pk__in=set(user_ids)))


def lock_with_tombstones(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users, and those who were merged into them."""
    wanted = set(user_ids)
    return _locked(Q(pool=pool_id) & (Q(pk__in=wanted) | Q(merged_into__in=wanted)))


def require_active(user: User) -> None:
    """Refuse a locked user who isn't active any more, though a token or proof was accepted.

    Raises:
        UserSuspended, AccountClosed: they are.
        InvalidToken: they were merged into another, which it names.

    """
    if user.status == User.Status.SUSPENDED:
        raise refusals.UserSuspended
    if user.status == User.Status.CLOSED:
        raise refusals.AccountClosed
    if user.status == User.Status.MERGED:
        raise refusals.InvalidToken(**refusals.merged_hint(user))


def _is_lost_race(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return violated_constraint(error) in RACED_FOR
    if isinstance(error, OperationalError):
        # PostgreSQL ended one of those who waited in a circle; it is free to start again.
        return getattr(error.__cause__, "sqlstate", "") == _DEADLOCK
    return True


def _locked(wanted: Q) -> dict[UUID, User]:
    # Rows that others refer to may still be inserted meanwhile: no_key lets foreign keys pass.
    users = User.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in users}

"""Locks on users: a transaction locks a user before it changes anything that belongs to them.

Several users are locked by one statement, in the order of their ids, so that transactions don't
deadlock. Rows that were read before the lock may have changed until it was held: they are compared
again, and a difference raises `LostRace`, which starts the transaction again.
"""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q

from accounts.models import User
from config.kernel.database import violated_constraint
from config.kernel.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

# After a lost race the other transaction's row can be found, so two attempts suffice in practice.
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
"""The unique constraints that concurrent transactions may violate.

Any other violated constraint is a bug, which another attempt doesn't fix.
"""
_DEADLOCK = "40P01"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class LostRace(Exception):
    """Another transaction has changed rows that this transaction read."""


def in_transaction(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a function to run in its own transaction, and again each time it loses a race.

    It raises ServiceUnavailable if it loses every time.
    """

    @wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for _attempt in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except (LostRace, IntegrityError, OperationalError) as error:
                if not _is_lost_race(error):
                    raise
                lost_race = error
        logger.error("%s lost %s races in a row.", function.__name__, ATTEMPTS, exc_info=lost_race)
        raise ServiceUnavailable from lost_race

    return run


def lock_users(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users of the pool until the transaction ends, and return them as they are now."""
    return _locked(Q(pool=pool_id, pk__in=set(user_ids)))


def lock_with_tombstones(pool_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Lock users, and the users that were merged into them."""
    wanted = set(user_ids)
    return _locked(Q(pool=pool_id) & (Q(pk__in=wanted) | Q(merged_into__in=wanted)))


def _is_lost_race(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return violated_constraint(error) in RACED_FOR
    if isinstance(error, OperationalError):
        # PostgreSQL aborted one transaction of a deadlock; it may start again.
        return getattr(error.__cause__, "sqlstate", "") == _DEADLOCK
    return True


def _locked(wanted: Q) -> dict[UUID, User]:
    # no_key: other transactions may still insert rows with a foreign key to a locked user.
    users = User.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in users}

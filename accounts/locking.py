"""One rule against races about people: whoever changes what is a user's locks the user first.

Several are locked by one statement, in the order of their ids, so that nobody waits in a circle.
What was read before the lock may have changed until it was held: it is compared again, and a
difference raises `LostRace`, upon which the transaction starts again.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from config.errors import ServiceUnavailable

# Each lost race means that somebody else's row is now there to be found: two suffice in practice.
ATTEMPTS = 5

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
            lost_race = error
    raise ServiceUnavailable from lost_race


def _locked(wanted: Q) -> dict[UUID, User]:
    # Rows that others refer to may still be inserted meanwhile: no_key lets foreign keys pass.
    users = User.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in users}

"""An operator's decisions about the conflicts that are held (accounts/merging/conflicts.py).

A decision applies to the conflict in the state that the operator saw. If another operator or a
login has changed it since, the decision changes nothing and the result says so.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.query import QuerySet

from accounts.locking import lock_with_tombstones
from accounts.merging import merge
from accounts.models import Conflict, LoginEvent, Merge
from userpools.models import Operator, UserPool

State = Conflict.State


def open_conflicts(pool: UserPool) -> QuerySet[Conflict]:
    """Return the pool's conflicts that wait for a decision, last seen first."""
    conflicts = Conflict.objects.filter(pool=pool, state=State.OPEN)
    return conflicts.order_by("-last_seen_at", "-pk")


def conflict_of(event: LoginEvent) -> Conflict | None:
    """Return the conflict that refused a login or was found by it; None if there is none."""
    if event.user is None:
        return None
    if event.conflict == LoginEvent.Conflict.UNIONID_OF_ANOTHER_USER:
        about = Q(user=event.user) | Q(other=event.user)
        about &= Q(reason=Conflict.Reason.UNIONID_OF_ANOTHER_USER)
    elif event.error == "identity_conflict":
        about = Q(user=event.user, reason=Conflict.Reason.SECOND_OPENID)
    else:
        return None
    conflicts = Conflict.objects.filter(
        about,
        pool=event.pool_id,
        first_seen_at__lte=event.occurred_at,
        last_seen_at__gte=event.occurred_at,
    )
    return conflicts.order_by("last_seen_at").first()


def merge_pair(conflict: Conflict, *, seen: str, operator: Operator, now: datetime) -> Merge | None:
    """Merge the two users of a conflict that was ``seen`` in this state.

    Return None if it isn't in that state any more.

    Raises:
        CannotMerge: they can't be one user.

    """
    user, other = conflict.user, conflict.other
    if other is None:
        return None
    with transaction.atomic():
        if not _locked(conflict, seen).exists():
            return None
        return merge.merge_by_hand(user, other, operator=operator, now=now)


def keep_apart(conflict: Conflict) -> bool:
    """Settle that an open conflict's users are two people, or that its OpenID stays refused.

    They are never merged automatically after that. Returns whether the conflict was still open.
    """
    with transaction.atomic():
        return bool(_locked(conflict, State.OPEN).update(state=State.APART))


def _locked(conflict: Conflict, seen: str) -> QuerySet[Conflict]:
    """Lock the users against a merge, and return the conflict if it is in this state."""
    keys = [key for key in (conflict.user_id, conflict.other_id) if key]
    lock_with_tombstones(conflict.pool_id, keys)
    return Conflict.objects.filter(pk=conflict.pk, pool=conflict.pool_id, state=seen)

"""Conflicts that no rule may decide are held for an operator's review."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q
from django.db.models.query import QuerySet

from accounts.locking import in_transaction
from accounts.models import Conflict, User
from identity_sources.models import IdentitySource


def in_order(first: User, second: User) -> tuple[User, User]:
    """Return two users in order: first the older one, who survives a merge."""
    older, younger = sorted((first, second), key=lambda user: (user.created_at, user.pk))
    return older, younger


def hold_pair(first: User, second: User, source: IdentitySource, *, now: datetime) -> None:
    """Put two users who may be one person on the review list; each pair is listed once.

    Raises:
        IntegrityError: another transaction has just held the same pair.

    """
    user, other = in_order(first, second)
    _hold(
        Conflict(
            pool_id=user.pool_id,
            user=user,
            other=other,
            identity_source=source,
            reason=Conflict.Reason.UNIONID_OF_ANOTHER_USER,
            first_seen_at=now,
            last_seen_at=now,
        )
    )


@in_transaction
def hold_openid(user: User, openid: str, source: IdentitySource, *, now: datetime) -> None:
    """Put an OpenID on the review list which came with the user's UnionID but can't be theirs."""
    _hold(
        Conflict(
            pool_id=user.pool_id,
            user=user,
            identity_source=source,
            app_id=source.app_id,
            openid=openid,
            reason=Conflict.Reason.SECOND_OPENID,
            first_seen_at=now,
            last_seen_at=now,
        )
    )


def are_apart(first: User, second: User) -> bool:
    """Return whether an operator has decided that the two users are two people."""
    return _of_pair(first, second).filter(state=Conflict.State.APART).exists()


def keep_apart(first: User, second: User, *, now: datetime) -> None:
    """Store that two users are two people: they are never merged automatically again."""
    if not _of_pair(first, second).update(state=Conflict.State.APART, last_seen_at=now):
        _apart(first, second, now).save(force_insert=True)


def follow_merge(survivor: User, merged: User, *, now: datetime) -> list[str]:
    """Settle the pair's own conflict; keep the survivor apart from users as the merged user was.

    Other open conflicts of the merged user are deleted; if they occur again, they are held again.
    Returns the ids of the rows that were added for the survivor.
    """
    _of_pair(survivor, merged).update(state=Conflict.State.MERGED)
    of_merged = Conflict.objects.filter(Q(user=merged) | Q(other=merged), pool=survivor.pool_id)
    of_merged.filter(state=Conflict.State.OPEN).delete()
    apart = of_merged.filter(state=Conflict.State.APART).select_related("user", "other")
    thirds = [row.other if row.user_id == merged.pk else row.user for row in apart]
    said = [_keep_apart_if_unsaid(survivor, third, now) for third in thirds if third]
    return [str(conflict.pk) for conflict in said if conflict]


def _keep_apart_if_unsaid(first: User, second: User, now: datetime) -> Conflict | None:
    if _of_pair(first, second).exists():
        keep_apart(first, second, now=now)
        return None
    conflict = _apart(first, second, now)
    conflict.save(force_insert=True)
    return conflict


def unsay(pool_id: UUID, conflicts: list[str], *, said_at: datetime) -> None:
    """Delete the rows that `follow_merge` added, except those that were confirmed since."""
    Conflict.objects.filter(pool=pool_id, pk__in=conflicts, last_seen_at=said_at).delete()


def _apart(first: User, second: User, now: datetime) -> Conflict:
    user, other = in_order(first, second)
    return Conflict(
        pool_id=user.pool_id,
        user=user,
        other=other,
        reason=Conflict.Reason.UNIONID_OF_ANOTHER_USER,
        state=Conflict.State.APART,
        first_seen_at=now,
        last_seen_at=now,
    )


def _of_pair(first: User, second: User) -> QuerySet[Conflict]:
    user, other = in_order(first, second)
    return Conflict.objects.filter(pool=user.pool_id, user=user, other=other)


def _hold(conflict: Conflict) -> None:
    known = Conflict.objects.filter(
        pool=conflict.pool_id,
        user=conflict.user_id,
        other=conflict.other_id,
        app_id=conflict.app_id,
        openid=conflict.openid,
    )
    seen_again = known.update(occurrences=F("occurrences") + 1, last_seen_at=conflict.last_seen_at)
    if not seen_again:
        conflict.save(force_insert=True)

"""Merging two users: who may be merged, and what moves (for undoing see accounts/merging/undo.py).

The older user survives. All linked accounts move to the survivor, and so do contact details that
the survivor lacks. The merged user's sessions end, and their row stays as a tombstone, so that its
``sub`` can be looked up.

An automatic merge, during a login, is allowed only without `obstacles`. By hand an operator may
merge any two users unless a constraint forbids it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from accounts.locking import lock_with_tombstones
from accounts.merging import conflicts
from accounts.models import AccountEvent, LinkedAccount, Merge, Session, User
from config.kernel.encryption import keyed_hashes
from config.kernel.errors import DomainError
from userpools.models import Operator

Kind = LinkedAccount.Kind


class Obstacle(StrEnum):
    """Why two users aren't merged automatically; an operator can't overrule the last three."""

    KEPT_APART = "kept_apart"
    TWO_UNIONIDS = "two_unionids"
    TWO_PASSWORDS = "two_passwords"
    TWO_PHONE_NUMBERS = "two_phone_numbers"
    TWO_OPENIDS = "two_openids"
    NOT_ACTIVE = "not_active"
    SAME_USER = "same_user"


FORBIDDING = frozenset({Obstacle.TWO_OPENIDS, Obstacle.NOT_ACTIVE, Obstacle.SAME_USER})


class CannotMerge(DomainError):
    """A constraint forbids merging these two users, or one of them isn't active."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__(", ".join(obstacles))


@dataclass(frozen=True)
class Detail:
    """A contact detail: its column, and the column of the time when it was verified."""

    value: str
    verified_at: str | None = None

    def is_known(self, user: User) -> bool:
        """Return whether the user has it, and has verified it if it can be verified."""
        return bool(getattr(user, self.verified_at or self.value))


DETAILS = (
    Detail("nickname"),
    Detail("avatar_url"),
    Detail("phone_number", "phone_number_verified_at"),
    Detail("email", "email_verified_at"),
    Detail("password"),
)


def obstacles(first: User, second: User) -> list[Obstacle]:
    """Return the obstacles to merging two users automatically."""
    accounts = list(LinkedAccount.objects.filter(pool=first.pool_id, user__in=[first, second]))
    unionids = {account.unionid for account in accounts if account.kind == Kind.UNIONID}
    app_ids = [account.app_id for account in accounts if account.kind == Kind.OPENID]
    active = User.Status.ACTIVE
    found = {
        Obstacle.KEPT_APART: conflicts.are_apart(first, second),
        Obstacle.TWO_UNIONIDS: len(unionids) > 1,
        Obstacle.TWO_PASSWORDS: bool(first.password and second.password),
        Obstacle.TWO_PHONE_NUMBERS: bool(
            first.phone_number_verified_at and second.phone_number_verified_at
        ),
        Obstacle.TWO_OPENIDS: len(app_ids) != len(set(app_ids)),
        Obstacle.NOT_ACTIVE: first.status != active or second.status != active,
    }
    return [obstacle for obstacle, is_there in found.items() if is_there]


def merge_by_hand(first: User, second: User, *, operator: Operator, now: datetime) -> Merge:
    """Merge two users of a pool, as an operator decided.

    Raises:
        CannotMerge: they can't be one user.

    """
    with transaction.atomic():
        locked = lock_with_tombstones(first.pool_id, [first.pk, second.pk])
        if first.pk == second.pk:
            raise CannotMerge([Obstacle.SAME_USER])
        if second.pk not in locked:
            # A user of another pool doesn't exist for this pool.
            raise CannotMerge([Obstacle.NOT_ACTIVE])
        first, second = locked[first.pk], locked[second.pk]
        forbidding = [found for found in obstacles(first, second) if found in FORBIDDING]
        if forbidding:
            raise CannotMerge(forbidding)
        return merge(first, second, operator=operator, now=now)


def merge(first: User, second: User, *, now: datetime, operator: Operator | None = None) -> Merge:
    """Merge the younger of two locked users into the older, within the caller's transaction."""
    survivor, merged = conflicts.in_order(first, second)
    moved = {
        "kept": _ids_of(survivor),
        "own_number": number_marks(survivor)[0],
        "linked_accounts": _move_linked_accounts(survivor, merged),
        "verified": _verifications(merged),
        "details": _move_details(survivor, merged),
        "tombstones": _point_tombstones(survivor, merged),
        "apart": conflicts.follow_merge(survivor, merged, now=now),
    }
    sessions = Session.objects.filter(pool=merged.pool_id, user=merged)
    sessions.end(now=now, reason=Session.EndReason.USER_MERGED)
    tell(AccountEvent.Kind.MERGED, survivor, merged, operator=operator, now=now)
    return Merge.objects.create(
        pool_id=survivor.pool_id,
        survivor=survivor,
        merged=merged,
        moved=moved,
        operator=operator,
        merged_at=now,
    )


def _move_linked_accounts(survivor: User, merged: User) -> list[list[str]]:
    accounts = LinkedAccount.objects.filter(pool=merged.pool_id, user=merged)
    rows = [[str(account.pk), str(account.wechat_identity)] for account in accounts]
    accounts.update(user=survivor)
    return rows


def _ids_of(user: User) -> list[str]:
    accounts = LinkedAccount.objects.filter(pool=user.pool_id, user=user)
    return [str(key) for key in accounts.values_list("pk", flat=True)]


def number_marks(user: User) -> list[str]:
    """Return hashes that show later whether the user's verified number is still the same.

    The first is stored; the others are made with older keys, for comparison.
    """
    if not user.phone_number_verified_at:
        return [""]
    marks = keyed_hashes("number before a merge", str(user.pk), user.phone_number)
    return [mark.hex() for mark in marks]


def _verifications(merged: User) -> dict[str, str]:
    """Return when the merged user's details were verified, since the tombstone doesn't keep it."""
    columns = [detail.verified_at for detail in DETAILS if detail.verified_at]
    times = {column: getattr(merged, column) for column in columns}
    return {column: time.isoformat() for column, time in times.items() if time}


def _move_details(survivor: User, merged: User) -> list[str]:
    """Move the details that the survivor lacks; return their names."""
    moved = [
        detail for detail in DETAILS if detail.is_known(merged) and not detail.is_known(survivor)
    ]
    changes: dict[str, Any] = {}
    for detail in moved:
        changes[detail.value] = getattr(merged, detail.value)
        if detail.verified_at:
            changes[detail.verified_at] = getattr(merged, detail.verified_at)
    merged.status, merged.merged_into = User.Status.MERGED, survivor
    # Saved first: a verified number or address may belong to only one user at a time.
    merged.phone_number_verified_at = merged.email_verified_at = None
    merged.save()
    for name, value in changes.items():
        setattr(survivor, name, value)
    survivor.save()
    return [detail.value for detail in moved]


def _point_tombstones(survivor: User, merged: User) -> list[str]:
    """Point the tombstones of the merged user to the survivor; return their ids."""
    tombstones = User.objects.filter(pool=merged.pool_id, merged_into=merged)
    keys = [str(key) for key in tombstones.values_list("pk", flat=True)]
    tombstones.update(merged_into=survivor)
    return keys


def tell(
    kind: AccountEvent.Kind,
    survivor: User,
    merged: User,
    *,
    operator: Operator | None,
    now: datetime,
) -> None:
    """Record the merge, or its undoing, in the history of both users."""
    for user, other in ((survivor, merged), (merged, survivor)):
        facts = {"other": other.sub, "survivor": survivor.sub}
        AccountEvent.record(user, kind, now=now, operator=operator, facts=facts)

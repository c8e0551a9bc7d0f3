"""Undoing a merge: what moved is moved back, and the two users are kept apart from then on."""

from datetime import datetime
from enum import Enum, auto
from typing import Any

from accounts.locking import in_transaction, lock_with_tombstones
from accounts.merging import conflicts
from accounts.merging.merge import DETAILS, Detail, number_marks, tell
from accounts.models import AccountEvent, LinkedAccount, Merge, Session, User
from config.kernel.errors import DomainError
from config.kernel.primary_keys import new_id
from userpools.models import Operator

Kind = LinkedAccount.Kind


class _Side(Enum):
    """Which of the two users has a row that was added since a merge."""

    SURVIVOR = auto()
    MERGED = auto()
    NOBODY = auto()


class CannotUndo(DomainError):
    """The merge was undone or is too old, or its survivor isn't an active user any more.

    Otherwise undoing would give a suspended person's WeChat account to an active user.
    """


def can_undo(merge: Merge, *, now: datetime) -> bool:
    """Return whether a merge can still be undone, without looking at the survivor's status."""
    return merge.undone_at is None and now < merge.undo_ends_at


@in_transaction
def undo(merge: Merge, *, operator: Operator, now: datetime) -> None:
    """Move back what moved and still belongs to the survivor, and keep the two users apart.

    Rows added since the merge go to the user they belong to. Where that isn't known, neither user
    keeps them: a number that was verified since and a WeChat account that was linked since are
    removed, and the survivor's sessions since the merge end.

    Raises:
        CannotUndo: it is too late, or a later merge has to be undone first.

    """
    users = lock_with_tombstones(merge.pool_id, [merge.survivor_id, merge.merged_id])
    survivor, merged = users[merge.survivor_id], users[merge.merged_id]
    open_merges = Merge.objects.filter(pk=merge.pk, undone_at__isnull=True)
    is_current = merged.merged_into_id == survivor.pk and survivor.status == User.Status.ACTIVE
    if not is_current or not can_undo(merge, now=now):
        raise CannotUndo
    if not open_merges.update(undone_at=now, undone_by=operator):
        raise CannotUndo
    _revive(survivor, merged, merge.moved)
    if _return_linked_accounts(survivor, merged, merge.moved):
        AccountEvent.record(survivor, AccountEvent.Kind.UNLINKED, now=now, operator=operator)
    User.objects.filter(pool=merge.pool_id, pk__in=merge.moved["tombstones"]).update(
        merged_into=merged
    )
    sessions = Session.objects.filter(
        pool=merge.pool_id, user=survivor, auth_time__gte=merge.merged_at
    )
    sessions.end(now=now, reason=Session.EndReason.MERGE_UNDONE)
    conflicts.unsay(merge.pool_id, merge.moved["apart"], said_at=merge.merged_at)
    conflicts.keep_apart(survivor, merged, now=now)
    tell(AccountEvent.Kind.MERGE_UNDONE, survivor, merged, operator=operator, now=now)


def _return_linked_accounts(survivor: User, merged: User, moved: dict[str, Any]) -> bool:
    """Move rows back, and divide those added since; return whether some were unlinked.

    A row added since follows its UnionID, or else the WeChat identity that it joined: if it stayed,
    the merged person could log in as the survivor. It isn't known to which user a WeChat account
    belongs that was linked since, so it is unlinked.
    """
    groups = dict(moved["linked_accounts"])
    rows = list(LinkedAccount.objects.filter(pool=survivor.pool_id, user=survivor))
    kept = [row for row in rows if str(row.pk) in moved["kept"]]
    going = [row for row in rows if str(row.pk) in groups]
    unionids = {row.unionid: groups[str(row.pk)] for row in going if row.unionid}
    sides = {
        row: _side_of(row, kept=kept, going=going, groups=set(groups.values()))
        for row in rows
        if row not in kept and row not in going
    }
    going += [row for row, side in sides.items() if side is _Side.MERGED]
    stray = [row for row, side in sides.items() if side is _Side.NOBODY]
    for row in going:
        row.user = merged
        own = groups.get(str(row.pk)) or unionids.get(row.unionid)
        row.wechat_identity = own or row.wechat_identity
        row.save(update_fields=["user", "wechat_identity"])
    LinkedAccount.objects.filter(pk__in=[row.pk for row in stray]).delete()
    # Rows that had joined an identity of the merged user become an identity of their own again.
    left = LinkedAccount.objects.filter(pool=survivor.pool_id, user=survivor)
    left.filter(wechat_identity__in=set(groups.values())).update(wechat_identity=new_id())
    return bool(stray)


def _side_of(
    row: LinkedAccount, *, kept: list[LinkedAccount], going: list[LinkedAccount], groups: set[str]
) -> _Side:
    if row.unionid and _has_unionid(going, row.unionid):
        return _Side.MERGED
    if row.unionid and _has_unionid(kept, row.unionid):
        return _Side.SURVIVOR
    if str(row.wechat_identity) in groups:
        return _Side.MERGED
    own = {known.wechat_identity for known in kept}
    return _Side.SURVIVOR if row.wechat_identity in own else _Side.NOBODY


def _has_unionid(rows: list[LinkedAccount], unionid: str) -> bool:
    return any(row.kind == Kind.UNIONID and row.unionid == unionid for row in rows)


def _revive(survivor: User, merged: User, moved: dict[str, Any]) -> None:
    for detail in DETAILS:
        taken_over = detail.value in moved["details"]
        if taken_over and getattr(survivor, detail.value) == getattr(merged, detail.value):
            setattr(survivor, detail.value, "")
            if detail.verified_at:
                setattr(survivor, detail.verified_at, None)
    if survivor.phone_number_verified_at and moved["own_number"] not in number_marks(survivor):
        survivor.phone_number, survivor.phone_number_verified_at = "", None
    survivor.save()
    merged.status, merged.merged_into = User.Status.ACTIVE, None
    for column, time in moved["verified"].items():
        detail = next(detail for detail in DETAILS if detail.verified_at == column)
        # It may have been withdrawn meanwhile, or belong to another user.
        if getattr(merged, detail.value) and not _is_somebodys(detail, merged):
            setattr(merged, column, datetime.fromisoformat(time))
    merged.save()


def _is_somebodys(detail: Detail, merged: User) -> bool:
    """Return whether another user has verified this number or address since."""
    same = {f"{detail.value}__iexact": getattr(merged, detail.value)}
    users = User.objects.filter(pool=merged.pool_id, **same).exclude(pk=merged.pk)
    return users.filter(**{f"{detail.verified_at}__isnull": False}).exists()

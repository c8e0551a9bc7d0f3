"""Undoing a merge: what moved goes back, and the two are kept apart from then on."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import conflicts
from accounts.locking import lock_with_tombstones
from accounts.merging import DETAILS, Detail, tell
from accounts.models import AccountEvent, LinkedAccount, Merge, Session, User
from config.errors import DomainError
from config.primary_keys import new_id
from userpools.models import Operator

UNDO_WITHIN = timedelta(days=30)

Kind = LinkedAccount.Kind


class CannotUndo(DomainError):
    """The merge was undone or is too old, or its survivor isn't an active user any more.

    A suspended person's WeChat account would otherwise come back by it.
    """


def can_undo(merge: Merge, *, now: datetime) -> bool:
    """Tell whether a merge can still be undone, its survivor's later fate apart."""
    return merge.undone_at is None and now < merge.merged_at + UNDO_WITHIN


def undo(merge: Merge, *, operator: Operator, now: datetime) -> None:
    """Give back what moved and is still the survivor's, and keep the two apart from now on.

    The survivor's sessions of after the merge end as well: which of the two began them isn't
    known.

    Raises:
        CannotUndo: it is too late, or a later merge has to be undone first.

    """
    with transaction.atomic():
        users = lock_with_tombstones(merge.pool_id, [merge.survivor_id, merge.merged_id])
        survivor, merged = users[merge.survivor_id], users[merge.merged_id]
        open_merges = Merge.objects.filter(pk=merge.pk, undone_at__isnull=True)
        is_current = merged.merged_into_id == survivor.pk and survivor.status == User.Status.ACTIVE
        if not is_current or not can_undo(merge, now=now):
            raise CannotUndo
        if not open_merges.update(undone_at=now, undone_by=operator):
            raise CannotUndo
        _revive(survivor, merged, merge.moved)
        _return_linked_accounts(survivor, merged, merge.moved)
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


def _return_linked_accounts(survivor: User, merged: User, moved: dict[str, Any]) -> None:
    """Give back the rows that moved, and those that came since and belong to them.

    A row that came since with a UnionID of the merged user's, or to a WeChat identity of theirs,
    would let the merged person in as the survivor.
    """
    groups = dict(moved["linked_accounts"])
    rows = list(LinkedAccount.objects.filter(pool=survivor.pool_id, user=survivor))
    came_since = [row for row in rows if str(row.pk) not in {*groups, *moved["kept"]}]
    going = [row for row in rows if str(row.pk) in groups]
    going += [row for row in came_since if _belongs_to(row, rows, groups, moved["kept"])]
    unionids = {row.unionid: groups[str(row.pk)] for row in going if str(row.pk) in groups}
    for row in going:
        row.user = merged
        own = groups.get(str(row.pk)) or unionids.get(row.unionid or "-")
        row.wechat_identity = own or row.wechat_identity
        row.save(update_fields=["user", "wechat_identity"])
    # What had joined those of the merged user's is a WeChat identity of its own again.
    left = LinkedAccount.objects.filter(pool=survivor.pool_id, user=survivor)
    left.filter(wechat_identity__in=set(groups.values())).update(wechat_identity=new_id())


def _belongs_to(
    row: LinkedAccount, rows: list[LinkedAccount], groups: dict[str, str], kept: list[str]
) -> bool:
    """Tell whose a row is that came since: by its UnionID, or else by the identity it joined."""
    if row.unionid:
        same = [other for other in rows if other.unionid == row.unionid]
        if any(str(other.pk) in groups and other.kind == Kind.UNIONID for other in same):
            return True
        if any(str(other.pk) in kept and other.kind == Kind.UNIONID for other in same):
            return False
    return str(row.wechat_identity) in groups.values()


def _revive(survivor: User, merged: User, moved: dict[str, Any]) -> None:
    for detail in DETAILS:
        taken_over = detail.value in moved["details"]
        if taken_over and getattr(survivor, detail.value) == getattr(merged, detail.value):
            setattr(survivor, detail.value, "")
            if detail.verified_at:
                setattr(survivor, detail.verified_at, None)
    survivor.save()
    merged.status, merged.merged_into = User.Status.ACTIVE, None
    for column, time in moved["verified"].items():
        detail = next(detail for detail in DETAILS if detail.verified_at == column)
        # It may have been withdrawn meanwhile, or be somebody else's.
        if getattr(merged, detail.value) and not _is_somebodys(detail, merged):
            setattr(merged, column, datetime.fromisoformat(time))
    merged.save()


def _is_somebodys(detail: Detail, merged: User) -> bool:
    """Tell whether somebody else has verified this number or address since."""
    same = {f"{detail.value}__iexact": getattr(merged, detail.value)}
    users = User.objects.filter(pool=merged.pool_id, **same).exclude(pk=merged.pk)
    return users.filter(**{f"{detail.verified_at}__isnull": False}).exists()

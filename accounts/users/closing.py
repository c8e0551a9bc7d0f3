"""Closing an account, and erasing its personal data after a while.

Closing ends all sessions at once. Until the erasure, logins with the account's WeChat get
``account_closed``, and an operator can reopen it. Erasing deletes names, numbers and linked
accounts. The row with its ``sub`` stays, and so do the events that name it. For a suspended user
keyed hashes of the linked accounts stay too, which block them.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.locking import lock_users, lock_with_tombstones
from accounts.login.identities import block, unblock
from accounts.models import (
    AccountEvent,
    Conflict,
    Consent,
    LinkedAccount,
    Merge,
    Session,
    User,
)
from applications.models import Application
from userpools.models import Operator

Status = User.Status

_PERSONAL = {
    "nickname": "",
    "avatar_url": "",
    "phone_number": "",
    "phone_number_verified_at": None,
    "email": "",
    "email_verified_at": None,
    "password": "",
}


def close(
    user: User,
    *,
    now: datetime,
    application: Application | None = None,
    operator: Operator | None = None,
) -> bool:
    """Close an account and end its sessions; return whether it was open.

    A suspended user's account can be closed too; its WeChat stays blocked after the erasure.
    """
    with transaction.atomic():
        locked = lock_users(user.pool_id, [user.pk])[user.pk]
        if locked.status not in {Status.ACTIVE, Status.SUSPENDED}:
            return False
        facts = {"suspended": True} if locked.status == Status.SUSPENDED else {}
        close_locked(locked, now=now)
        AccountEvent.record(
            locked,
            AccountEvent.Kind.CLOSED,
            now=now,
            application=application,
            operator=operator,
            facts=facts,
        )
    return True


def close_locked(user: User, *, now: datetime) -> None:
    """Close the account of a locked user, within the caller's transaction."""
    if user.status == Status.SUSPENDED:
        block(user, LinkedAccount.objects.filter(pool=user.pool_id, user=user), now=now)
    user.was_suspended = user.status == Status.SUSPENDED
    user.status, user.closed_at = Status.CLOSED, now
    user.save(update_fields=["status", "was_suspended", "closed_at", "updated_at"])
    sessions = Session.objects.filter(pool=user.pool_id, user=user)
    sessions.end(now=now, reason=Session.EndReason.ACCOUNT_CLOSED)


def reopen(user: User, *, operator: Operator, now: datetime) -> bool:
    """Reopen a closed account that isn't erased yet; return whether that was possible.

    An account that was suspended when it was closed is suspended again.
    """
    with transaction.atomic():
        locked = lock_users(user.pool_id, [user.pk])[user.pk]
        if locked.status != Status.CLOSED or locked.erased_at:
            return False
        if not locked.was_suspended:
            unblock(user.pk)
        locked.status = Status.SUSPENDED if locked.was_suspended else Status.ACTIVE
        locked.was_suspended, locked.closed_at = False, None
        locked.save(update_fields=["status", "was_suspended", "closed_at", "updated_at"])
        AccountEvent.record(locked, AccountEvent.Kind.REOPENED, now=now, operator=operator)
    return True


def erase_due(*, now: datetime) -> int:
    """Erase closed accounts after their grace period, and the personal data of old tombstones.

    Returns how many accounts were erased. Several processes may run it at the same time.
    """
    closed_before = now - timedelta(days=settings.CLOSED_ACCOUNT_GRACE_DAYS)
    closed = User.objects.filter(status=Status.CLOSED, erased_at__isnull=True)
    due = list(closed.filter(closed_at__lte=closed_before).values_list("pool", "pk"))
    erased = sum(_erase(pool_id, key, closed_before, now) for pool_id, key in due)
    _clean_tombstones(now)
    return erased


def _erase(pool_id: UUID, key: UUID, closed_before: datetime, now: datetime) -> int:
    with transaction.atomic():
        users = lock_with_tombstones(pool_id, [key])
        user = users.pop(key)
        is_due = user.closed_at is not None and user.closed_at <= closed_before
        if user.status != Status.CLOSED or user.erased_at or not is_due:
            return 0
        _forget(user)
        for tombstone in users.values():
            _forget(tombstone)
        User.objects.filter(pk=user.pk).update(erased_at=now)
        AccountEvent.record(user, AccountEvent.Kind.ERASED, now=now)
    return 1


def _forget(user: User) -> None:
    """Delete the personal data of a locked user or tombstone."""
    User.objects.filter(pk=user.pk).update(**_PERSONAL)
    LinkedAccount.objects.filter(pool=user.pool_id, user=user).delete()
    Consent.objects.filter(pool=user.pool_id, user=user).delete()
    Conflict.objects.filter(Q(user=user) | Q(other=user), pool=user.pool_id).delete()


def _clean_tombstones(now: datetime) -> None:
    """Delete the personal data of tombstones whose merge can't be undone any more."""
    current = Merge.objects.filter(undone_at__isnull=True, merged_at__lte=now - Merge.UNDO_WITHIN)
    remains = User.objects.filter(status=Status.MERGED, erased_at__isnull=True)
    remains.filter(pk__in=current.values("merged")).update(**_PERSONAL, erased_at=now)

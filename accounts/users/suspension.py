"""Keeping a person out for a while: the refusals are accounts/login/rules.py's and the tokens'."""

from datetime import datetime

from django.db import transaction

from accounts.login.identities import unblock
from accounts.models import Session, User


def suspend(user: User, *, now: datetime) -> bool:
    """Suspend an active user and end their sessions; tell whether they were active.

    The sessions end for good: lifting the suspension lets the person log in, not resume.
    """
    with transaction.atomic():
        active = User.objects.filter(pk=user.pk, status=User.Status.ACTIVE)
        changed = bool(active.update(status=User.Status.SUSPENDED, updated_at=now))
        sessions = Session.objects.filter(pool=user.pool_id, user=user.pk)
        sessions.end(now=now, reason=Session.EndReason.USER_SUSPENDED)
    return changed


def lift_suspension(user: User, *, now: datetime) -> bool:
    """Let a suspended user log in again; tell whether they were suspended.

    A login that was under way when the suspension came may have begun a session after all.
    """
    with transaction.atomic():
        suspended = User.objects.filter(pk=user.pk, status=User.Status.SUSPENDED)
        changed = bool(suspended.update(status=User.Status.ACTIVE, updated_at=now))
        if changed:
            sessions = Session.objects.filter(pool=user.pool_id, user=user.pk)
            sessions.end(now=now, reason=Session.EndReason.USER_SUSPENDED)
            unblock(user.pk)
    return changed

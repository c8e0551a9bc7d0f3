"""Suspending a user: accounts/login/rules.py refuses logins, accounts/sessions/access.py tokens."""

from datetime import datetime

from django.db import transaction

from accounts.login.identities import unblock
from accounts.models import Session, User


def suspend(user: User, *, now: datetime) -> bool:
    """Suspend an active user and end their sessions; return whether they were active.

    The sessions end for good: after the suspension is lifted, the person has to log in again.
    """
    with transaction.atomic():
        active = User.objects.filter(pk=user.pk, status=User.Status.ACTIVE)
        changed = bool(active.update(status=User.Status.SUSPENDED, updated_at=now))
        sessions = Session.objects.filter(pool=user.pool_id, user=user.pk)
        sessions.end(now=now, reason=Session.EndReason.USER_SUSPENDED)
    return changed


def lift_suspension(user: User, *, now: datetime) -> bool:
    """Lift the suspension of a user; return whether they were suspended.

    It ends sessions too: a login that ran during the suspension may still have begun one.
    """
    with transaction.atomic():
        suspended = User.objects.filter(pk=user.pk, status=User.Status.SUSPENDED)
        changed = bool(suspended.update(status=User.Status.ACTIVE, updated_at=now))
        if changed:
            sessions = Session.objects.filter(pool=user.pool_id, user=user.pk)
            sessions.end(now=now, reason=Session.EndReason.USER_SUSPENDED)
            unblock(user.pk)
    return changed

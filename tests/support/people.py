"""Rows about people: users, sessions, login events, conflicts.

They are created without a login.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.merging import conflicts
from accounts.models import Conflict, LinkedAccount, LoginEvent, Session, User
from tests.support import builders
from tests.support.tenants import Tenant

LATELY = timezone.now() - timedelta(days=3)
PHONE = {"phone_number": "+8613800138001", "phone_number_verified_at": LATELY}
EMAIL = {"email": "Alice@example.com", "email_verified_at": LATELY}


def make_event(tenant: Tenant, *, ago: timedelta = timedelta(), **fields: Any) -> LoginEvent:
    """A login event, by default of a successful login just now."""
    return LoginEvent.objects.create(
        **{
            "pool": tenant.pool,
            "application": tenant.application,
            "identity_source": tenant.source,
            "door": "rest",
            "way": "mini_program",
            "outcome": "refused" if fields.get("error") else "succeeded",
            "occurred_at": timezone.now() - ago,
        }
        | fields
    )


def make_person(tenant: Tenant, number: int = 0, **fields: Any) -> User:
    """A user with a WeChat identity."""
    user = builders.make_user(tenant.pool, **fields)
    openid, unionid = f"oSANDBOX_openid_{number:013d}", f"oSANDBOX_unionid_{number:012d}"
    rows = {
        "openid": {"app_id": tenant.source.app_id, "openid": openid, "unionid": unionid},
        "unionid": {"unionid": unionid},
    }
    now = timezone.now()
    for kind, values in rows.items():
        LinkedAccount.objects.create(
            pool=tenant.pool, user=user, kind=kind, first_seen_at=now, last_seen_at=now, **values
        )
    return user


def make_pair(tenant: Tenant, **younger: Any) -> tuple[User, User]:
    """Two users who may be one person, the older first: an OpenID, and a UnionID from elsewhere."""
    now = timezone.now()
    pair = (
        builders.make_user(tenant.pool, nickname="Alice"),
        builders.make_user(tenant.pool, **{"nickname": "Alice on the web"} | younger),
    )
    ties: list[tuple[User, dict[str, str]]] = [
        (pair[0], {"kind": "openid", "app_id": tenant.source.app_id, "openid": "o-of-alice"}),
        (pair[1], {"kind": "openid", "app_id": "wxsandbox0000000ee", "openid": "o-elsewhere"}),
        (pair[1], {"kind": "unionid", "unionid": "u-of-alice"}),
    ]
    for user, values in ties:
        LinkedAccount.objects.create(
            pool=tenant.pool, user=user, first_seen_at=now, last_seen_at=now, **values
        )
    User.objects.filter(pk=pair[0].pk).update(created_at=now - timedelta(days=100))
    pair[0].refresh_from_db()
    return pair


def hold(tenant: Tenant, user: User, other: User) -> Conflict:
    """Put two users on the review list, as a login does."""
    conflicts.hold_pair(user, other, tenant.source, now=timezone.now())
    return Conflict.objects.get(user=user, other=other)


def make_session(tenant: Tenant, user: User, **fields: Any) -> Session:
    """A session."""
    return Session.objects.create(
        pool=tenant.pool,
        user=user,
        application=tenant.application,
        identity_source=tenant.source,
        way="mini_program",
        auth_time=timezone.now(),
        **fields,
    )


def give(user: User, **fields: Any) -> None:
    """Change a user's row."""
    User.objects.filter(pk=user.pk).update(**fields)
    user.refresh_from_db()

"""Every page of the console, found in the console itself: what is added later is tested with it."""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.utils import timezone

from accounts.models import Conflict, LoginEvent, User, WeChatEvent
from applications.models import Application
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.tenants import Tenant
from userpools.models import Membership, Operator, SigningKey, UserPool

ADMINS: dict[type[Model], ModelAdmin] = dict(admin.site._registry)  # noqa: SLF001  Django offers no other way
OF_POOLS = [model for model in ADMINS if model is not Operator]
NOT_ONE_ROWS = ("", "add/")
"""The list and the form of a new row."""
NEVER_CHANGE = ("", "<path:object_id>/history/", "<path:object_id>/")
"""The list, the history and Django's old address of a row: a POST there is a GET."""


def name_of(model: type[Model]) -> str:
    return model.__name__


def row_of(model: type[Model], tenant: Tenant) -> Model:
    """A row of the tenant's; a model without a line here fails, so that none is forgotten."""
    pool = tenant.pool
    ready = {
        UserPool: pool,
        SigningKey: SigningKey.objects.filter(pool=pool).first(),
        IdentitySource: tenant.source,
        Application: tenant.application,
    }
    if model in ready:
        return ready[model]
    return _MADE[model](tenant)


def _membership(tenant: Tenant) -> Membership:
    colleague = builders.make_operator(f"colleague-at-{tenant.pool.identifier}")
    return Membership.objects.create(pool=tenant.pool, operator=colleague)


def _event(tenant: Tenant) -> LoginEvent:
    return LoginEvent.objects.create(
        pool=tenant.pool,
        application=tenant.application,
        identity_source=tenant.source,
        user=_user(tenant),
        door=LoginEvent.Door.REST,
        outcome=LoginEvent.Outcome.REFUSED,
        error="invalid_code",
        request_id=f"request-at-{tenant.pool.identifier}",
        occurred_at=timezone.now(),
    )


def _user(tenant: Tenant) -> User:
    name = f"person-at-{tenant.pool.identifier}"
    return builders.make_user(tenant.pool, nickname=name, phone_number="+8613800000000")


def _wechat_event(tenant: Tenant) -> WeChatEvent:
    return WeChatEvent.objects.create(
        pool=tenant.pool,
        identity_source=tenant.source,
        user=_user(tenant),
        event="user_authorization_revoke",
        mode=WeChatEvent.Mode.SAFE,
        outcome=WeChatEvent.Outcome.APPLIED,
        content_hash=f"hash-at-{tenant.pool.identifier}",
        received_at=timezone.now(),
    )


def _conflict(tenant: Tenant) -> Conflict:
    now = timezone.now()
    names = [f"{twin}-at-{tenant.pool.identifier}" for twin in ("first", "second")]
    user, other = (builders.make_user(tenant.pool, nickname=name) for name in names)
    return Conflict.objects.create(
        pool=tenant.pool,
        user=user,
        other=other,
        identity_source=tenant.source,
        reason=Conflict.Reason.UNIONID_OF_ANOTHER_USER,
        first_seen_at=now,
        last_seen_at=now,
    )


_MADE = {
    Conflict: _conflict,
    Membership: _membership,
    LoginEvent: _event,
    User: _user,
    WeChatEvent: _wechat_event,
}


def addresses(model: type[Model]) -> list[str]:
    """The addresses of a model's pages as they are written in its admin, actions among them."""
    return [str(pattern.pattern) for pattern in ADMINS[model].get_urls()]


def addresses_of_row(model: type[Model]) -> list[str]:
    return [address for address in addresses(model) if address not in NOT_ONE_ROWS]


def addresses_that_change(model: type[Model]) -> list[str]:
    return [address for address in addresses(model) if address not in NEVER_CHANGE]


def page(pool: str, model: type[Model], address: str, pk: Any = "") -> str:
    """Where a page is, in a pool, for a row."""
    filled = re.sub(r"<[^>]+>", str(pk), address)
    return f"/console/{pool}/{ADMINS[model].path}/{filled}"


def traces(row: Model) -> Iterator[str]:
    """What would tell of a row if it stood on a page."""
    yield str(row.pk)
    for name in ("kid", "app_id", "client_id", "nickname", "sub", "request_id"):
        if value := getattr(row, name, None):
            yield value
    if isinstance(row, Membership):
        yield row.operator.username


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that the console's pages may change."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.app_label not in {"sessions", "axes"}
    }

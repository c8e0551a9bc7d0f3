"""The contents of the database: row counts, login events and linked accounts as plain data."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import ANY

from django.apps import apps
from django.db import transaction
from django.db.models import F

from accounts.models import AccountEvent, Conflict, LinkedAccount, LoginEvent, Session, User

_EVENT_FIELDS = (
    "pool__identifier",
    "application__client_id",
    "identity_source__identifier",
    "user__sub",
    "door",
    "way",
    "outcome",
    "error",
    "decision",
    "unionid_added",
    "conflict",
    "replayed",
    "phone_status",
    "wechat_errcode",
    "wechat_rid",
    "wechat_milliseconds",
    "request_id",
    "occurred_at",
)


def count_rows() -> Counter[str]:
    """Count the rows of every table; subtract an earlier count to see what was written."""
    return Counter(
        {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    )


def events() -> list[dict[str, Any]]:
    """Return all login events, oldest first."""
    return list(LoginEvent.objects.order_by("pk").values(*_EVENT_FIELDS))


def steps() -> list[dict[str, Any]]:
    """Return the trace of the newest login event."""
    trace: list[dict[str, Any]] = LoginEvent.objects.latest("pk").steps
    return trace


def event(**changes: Any) -> dict[str, Any]:
    """Return the event of Alice's first login at Acme, with the differences that matter."""
    usual = {
        "pool__identifier": "acme",
        "application__client_id": "acme-shop",
        "identity_source__identifier": "acme-mini",
        "user__sub": ANY,
        "door": "rest",
        "way": "mini_program",
        "outcome": "succeeded",
        "error": "",
        "decision": "created",
        "unionid_added": False,
        "conflict": "",
        "replayed": False,
        "phone_status": "",
        "wechat_errcode": None,
        "wechat_rid": "",
        "wechat_milliseconds": ANY,
        "request_id": ANY,
        "occurred_at": ANY,
    }
    assert changes.keys() <= usual.keys()
    return usual | changes


# These refusals have a user.
OF_A_KNOWN_USER = {"user_suspended", "account_closed", "identity_conflict"}


def refusal(error: str, **changes: Any) -> dict[str, Any]:
    """Return the event of a refused login at Acme."""
    user = ANY if error in OF_A_KNOWN_USER else None
    return event(
        **{"user__sub": user, "outcome": "refused", "error": error, "decision": ""} | changes
    )


def linked_rows(user: User | None = None) -> set[tuple[str, str, str, str]]:
    """Return (kind, AppID, OpenID, UnionID) of a user's linked accounts, or of all."""
    rows = LinkedAccount.objects.filter(**{"user": user} if user else {})
    return set(rows.values_list("kind", "app_id", "openid", "unionid"))


def groups_of(user: User) -> set[frozenset[str]]:
    """Return the user's WeChat identities, each as the OpenIDs and UnionIDs that make it up."""
    groups = defaultdict(set)
    for row in LinkedAccount.objects.filter(user=user):
        groups[row.wechat_identity].add(row.openid if row.kind == "openid" else row.unionid)
    return {frozenset(group) for group in groups.values()}


def conflicts() -> list[tuple[str, str | None, str, str, int]]:
    """Return (user's sub, other's sub, reason, state, occurrences) of all conflicts."""
    rows = Conflict.objects.order_by("pk")
    return list(rows.values_list("user__sub", "other__sub", "reason", "state", "occurrences"))


def histories() -> set[tuple[str, str]]:
    """Return (sub, kind) of all account events."""
    return set(AccountEvent.objects.values_list("user__sub", "kind"))


def assert_invariants() -> None:
    """Assert the invariants of users and linked accounts."""
    running = Session.objects.filter(ended_at=None)
    assert not running.exclude(user__status="active").exists()
    assert not LinkedAccount.objects.filter(user__status="merged").exists()
    tombstones = User.objects.filter(status="merged")
    assert not tombstones.filter(merged_into__status="merged").exists()
    assert not User.objects.exclude(status="merged").filter(merged_into__isnull=False).exists()
    assert not LinkedAccount.objects.exclude(user__pool=F("pool")).exists()
    assert not Conflict.objects.filter(state="open", user__status="merged").exists()
    assert not Conflict.objects.filter(state="open", other__status="merged").exists()


@contextmanager
def undone_afterwards() -> Iterator[None]:
    """Roll back, at the end, the changes of one example."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

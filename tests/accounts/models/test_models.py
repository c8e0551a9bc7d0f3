"""What the database itself refuses about people, and what it never lets go."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from accounts.models import CodeExchange, LinkedAccount, LoginEvent, RefreshToken, Session, User
from applications.models import Application
from config.kernel.encryption import DecryptionError
from identity_sources.models import IdentitySource
from tests.support import builders
from userpools.models import UserPool

PHONE = "+8613800138001"
OURS = ("userpools", "identity_sources", "applications", "accounts")
# What may go together with what it hangs on: none of it is anybody's history.
MAY_CASCADE = {
    ("userpools", "membership", "operator"),
    ("identity_sources", "wechataccesstoken", "source"),
    ("identity_sources", "sourcefailure", "source"),
    ("identity_sources", "messagepushkey", "source"),
    ("applications", "redirecturi", "application"),
    ("applications", "postlogoutredirecturi", "application"),
    ("applications", "clientassertion", "application"),
    ("accounts", "bindingticket", "login_method"),
    ("accounts", "emailcode", "ticket"),
    ("accounts", "authorizationrequest", "device"),
    ("accounts", "wechatstate", "request"),
    ("accounts", "wechatstate", "login_method"),
}
# What outlives the operator who did it.
MAY_LET_GO = {
    ("accounts", "merge", "operator"),
    ("accounts", "merge", "undone_by"),
    ("accounts", "accountevent", "operator"),
}


def refused(write: Callable[[], Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


@pytest.fixture
def alice(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def bob(acme):
    return builders.make_user(acme.pool)


def link(user: User, **fields: Any) -> LinkedAccount:
    row = {
        "pool": user.pool,
        "user": user,
        "kind": "openid",
        "app_id": "wx1",
        "openid": "o1",
        "first_seen_at": timezone.now(),
        "last_seen_at": timezone.now(),
    }
    return LinkedAccount.objects.create(**row | fields)


def link_unionid(user: User, unionid: str = "u1", **fields: Any) -> LinkedAccount:
    return link(user, kind="unionid", app_id="", openid="", unionid=unionid, **fields)


# --- Users ------------------------------------------------------------------------------------


def test_a_sub_occurs_once_in_a_pool(alice):
    refused(lambda: builders.make_user(alice.pool, sub=alice.sub))


def test_two_pools_may_have_one_sub(alice, globex):
    builders.make_user(globex.pool, sub=alice.sub)


def test_a_new_sub_is_a_random_uuid_and_not_the_rows_id(alice, bob):
    assert alice.sub != bob.sub
    assert alice.sub != str(alice.pk)
    assert (len(alice.sub), alice.sub[14]) == (36, "4")


def test_a_verified_number_is_one_persons_in_a_pool(alice, bob, globex):
    now = timezone.now()
    User.objects.filter(pk=alice.pk).update(phone_number=PHONE, phone_number_verified_at=now)

    refused(
        lambda: User.objects.filter(pk=bob.pk).update(
            phone_number=PHONE, phone_number_verified_at=now
        )
    )
    User.objects.filter(pk=bob.pk).update(phone_number=PHONE)
    builders.make_user(globex.pool, phone_number=PHONE, phone_number_verified_at=now)


def test_without_a_number_nothing_is_verified(alice):
    refused(lambda: User.objects.update(phone_number_verified_at=timezone.now()))


# --- Linked accounts --------------------------------------------------------------------------


def test_an_openid_of_an_app_is_one_persons(alice, bob):
    link(alice)

    refused(lambda: link(bob))


def test_a_unionid_is_one_persons(alice, bob):
    link_unionid(alice)

    refused(lambda: link_unionid(bob))
    refused(lambda: link_unionid(alice))


def test_a_person_has_one_openid_of_an_app(alice):
    link(alice)

    refused(lambda: link(alice, openid="o2"))


def test_one_openid_may_occur_in_two_apps_and_in_two_pools(alice, bob, globex):
    link(alice)
    link(bob, app_id="wx2")
    link(builders.make_user(globex.pool))
    link_unionid(alice)
    link_unionid(builders.make_user(globex.pool))


def test_an_openid_row_may_repeat_anothers_unionid(alice, bob):
    # It records what was seen; only the UnionID row ties a UnionID to a person.
    link(alice, unionid="u1")
    link(bob, openid="o2", unionid="u1")
    link_unionid(alice)


@pytest.mark.parametrize(
    "fields",
    [
        {"openid": ""},
        {"app_id": ""},
        {"kind": "unionid"},
        {"kind": "unionid", "app_id": "", "openid": ""},
        {"kind": "unionid", "app_id": "", "unionid": "u1"},
        {"kind": "unionid", "openid": "", "unionid": "u1"},
        {"kind": "phone", "unionid": "u1"},
        {"kind": ""},
    ],
)
def test_a_row_of_neither_kind_is_refused(alice, fields):
    refused(lambda: link(alice, **fields))


# --- Sessions, tokens, exchanges --------------------------------------------------------------


@pytest.fixture
def session(acme, alice):
    return Session.objects.create(
        pool=acme.pool,
        user=alice,
        application=acme.application,
        identity_source=acme.source,
        way="mini_program",
        auth_time=timezone.now(),
    )


def make_refresh_token(session: Session, **fields: Any) -> RefreshToken:
    now = timezone.now()
    row = {
        "pool": session.pool,
        "session": session,
        "token_hash": b"h" * 32,
        "scope": "openid",
        "created_at": now,
        "expires_at": now + timedelta(days=1),
        "family_expires_at": now + timedelta(days=2),
    }
    return RefreshToken.objects.create(**row | fields)


def test_a_refresh_token_occurs_once(session):
    make_refresh_token(session)

    refused(lambda: make_refresh_token(session))


def test_a_token_is_unspent_until_it_is_used_revoked_or_expired(session):
    now = timezone.now()
    spent = [{"used_at": now}, {"revoked_at": now}, {"expires_at": now}]
    for number, fields in enumerate(spent):
        make_refresh_token(session, token_hash=bytes([number]) * 32, **fields)
    good = make_refresh_token(session)

    assert list(RefreshToken.objects.unspent(now)) == [good]


def test_a_session_ends_once(session):
    first, second = timezone.now(), timezone.now() + timedelta(hours=1)

    assert Session.objects.all().end(now=first, reason="logged_out") == 1
    assert Session.objects.all().end(now=second, reason="refresh_token_reused") == 0
    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (first, "logged_out")


def test_a_code_has_one_exchange(db):
    fields = {"key": "k", "expires_at": timezone.now()}
    CodeExchange(**fields).save(force_insert=True)
    again = CodeExchange(**fields)

    refused(lambda: again.save(force_insert=True))


def test_an_answer_of_wechats_is_readable_under_its_own_key_only():
    sealed = CodeExchange(key="one").seal_answer('{"openid": "oSANDBOX_x"}')

    assert b"oSANDBOX_x" not in sealed
    assert CodeExchange(key="one", answer_ciphertext=sealed).answer() == '{"openid": "oSANDBOX_x"}'
    with pytest.raises(DecryptionError):
        CodeExchange(key="another", answer_ciphertext=sealed).answer()


# --- Nothing cascades -------------------------------------------------------------------------


@pytest.mark.parametrize("model", [User, Application, IdentitySource, UserPool, Session])
def test_nothing_that_a_login_left_behind_can_be_deleted(acme, log_in, model):
    log_in("alice")
    before = LoginEvent.objects.count(), Session.objects.count(), LinkedAccount.objects.count()

    with pytest.raises(ProtectedError):
        model.objects.get().delete()
    with pytest.raises(ProtectedError):
        model.objects.all().delete()

    assert before == (1, 1, 2)
    assert before == (
        LoginEvent.objects.count(),
        Session.objects.count(),
        LinkedAccount.objects.count(),
    )


@pytest.mark.parametrize(
    ("on_delete", "may"), [(models.CASCADE, MAY_CASCADE), (models.SET_NULL, MAY_LET_GO)]
)
def test_no_foreign_key_of_ours_lets_go_but_these(on_delete, may):
    keys = [
        ((model._meta.app_label, model._meta.model_name, field.name), field.remote_field.on_delete)
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
    ]

    assert {key for key, does in keys if does is on_delete} == may
    assert {does for _, does in keys} <= {models.PROTECT, models.CASCADE, models.SET_NULL}


def test_every_row_about_people_is_named_by_a_uuid():
    of_exchanges = {"CodeExchange"}  # by its hash
    keys = {
        model.__name__: type(model._meta.pk)
        for model in apps.get_app_config("accounts").get_models()
        if model.__name__ not in of_exchanges
    }

    assert set(keys.values()) == {models.UUIDField}

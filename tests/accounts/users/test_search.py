"""Naming one user in full: by what is theirs now, never by half of it, never elsewhere."""

import pytest
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.models import LinkedAccount, User
from accounts.users.search import users_named
from tests.support import builders
from tests.support.people import make_pair, make_person

NAMES = {
    "sub": "the-sub-of-alice",
    "phone_number": "+8613800138001",
    "email": "Alice@Example.com",
}
OPENID, UNIONID = f"oSANDBOX_openid_{1:013d}", f"oSANDBOX_unionid_{1:012d}"


@pytest.fixture
def alice(acme):
    now = timezone.now()
    verified = {"phone_number_verified_at": now, "email_verified_at": now}
    return make_person(acme, 1, **NAMES, **verified)


@pytest.mark.parametrize(
    "name", ["", "13800138001", "the-sub", "%", "alice", OPENID[:-1], "爱丽", "\uff0b86"]
)
def test_half_a_name_finds_nobody(acme, alice, name):
    assert users_named(acme.pool, name) == []


@pytest.mark.parametrize("name", [*NAMES.values(), "alice@example.COM", OPENID, UNIONID])
def test_a_whole_name_finds_the_one_and_nobody_of_another_pool(acme, globex, alice, name):
    assert users_named(acme.pool, name) == [alice]
    assert users_named(globex.pool, name) == []


def test_what_nobody_verified_names_nobody(acme, alice):
    User.objects.update(phone_number_verified_at=None, email_verified_at=None)

    assert users_named(acme.pool, NAMES["phone_number"]) == []
    assert users_named(acme.pool, NAMES["email"]) == []


def test_an_openid_that_two_apps_gave_finds_both(acme, alice):
    other, now = builders.make_user(acme.pool), timezone.now()
    LinkedAccount.objects.create(
        pool=acme.pool,
        user=other,
        kind="openid",
        app_id="wxsandbox0000000ee",
        openid=OPENID,
        first_seen_at=now,
        last_seen_at=now,
    )

    assert set(users_named(acme.pool, OPENID)) == {alice, other}


def test_a_merged_user_is_found_by_the_old_sub_alone(acme):
    user, other = make_pair(acme, email="old@example.com", email_verified_at=timezone.now())
    merge_by_hand(user, other, operator=builders.make_operator("ada"), now=timezone.now())

    assert users_named(acme.pool, other.sub) == [other]
    assert users_named(acme.pool, "old@example.com") == [user]

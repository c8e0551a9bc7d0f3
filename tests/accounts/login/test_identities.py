"""The rows of an identity, where somebody else is at work on them at the same time."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import locking
from accounts.locking import LostRace
from accounts.login.exchange import WeChatIdentity
from accounts.login.identities import find_identity
from accounts.merging.merge import merge
from accounts.models import LinkedAccount
from tests.support import builders
from tests.support.records import groups_of

IDENTITY = WeChatIdentity(openid="oSANDBOX_alice", unionid="oSANDBOX_alices_union")


@pytest.fixture
def user(acme):
    return builders.make_user(acme.pool)


@pytest.fixture
def found_by_unionid(acme, user):
    """What a login found, that knew the UnionID only, before another one added the OpenID."""
    now = timezone.now()
    shared = {"pool": acme.pool, "user": user, "first_seen_at": now, "last_seen_at": now}
    LinkedAccount.objects.create(kind="unionid", unionid=IDENTITY.unionid, **shared)
    with transaction.atomic():
        found = find_identity(acme.source, IDENTITY)
    LinkedAccount.objects.create(
        kind="openid", app_id=acme.source.app_id, openid=IDENTITY.openid, **shared
    )
    return found


def test_an_openid_that_came_meanwhile_is_not_another_one(found_by_unionid, user):
    assert found_by_unionid.by_openid is None
    assert found_by_unionid.has_another_openid(user) is False


def test_an_openid_that_came_meanwhile_is_met_when_it_is_added(found_by_unionid, user):
    with pytest.raises(IntegrityError), transaction.atomic():
        found_by_unionid.link_to(user, now=timezone.now())


# What was read may have changed until its users were locked


def change_before_the_lock(monkeypatch, change):
    """Let somebody else finish, at the moment in which a login waits for the lock."""
    for name in ("lock_users", "lock_with_tombstones"):
        lock = getattr(locking, name)

        def late(*arguments, lock=lock):
            change()
            return lock(*arguments)

        monkeypatch.setattr(f"accounts.login.identities.{name}", late)


def test_rows_of_a_user_who_was_merged_meanwhile_are_read_again(acme, user, monkeypatch):
    other = builders.make_user(acme.pool)
    builders.link_unionid(other, IDENTITY.unionid)
    change_before_the_lock(monkeypatch, lambda: merge(user, other, now=timezone.now()))

    with pytest.raises(LostRace), transaction.atomic():
        find_identity(acme.source, IDENTITY)


@pytest.mark.parametrize("gone", ["openid", "unionid"])
def test_a_row_that_was_unlinked_meanwhile_is_not_taken_for_the_users(
    acme, user, monkeypatch, gone
):
    builders.link_openid(user, IDENTITY.openid, app_id=acme.source.app_id)
    builders.link_unionid(user, IDENTITY.unionid)
    change_before_the_lock(monkeypatch, lambda: LinkedAccount.objects.filter(kind=gone).delete())

    with pytest.raises(LostRace), transaction.atomic():
        find_identity(acme.source, IDENTITY).link_to(user, now=timezone.now())


def test_two_users_are_not_merged_over_a_unionid_that_one_unlinked_meanwhile(
    acme, user, monkeypatch
):
    other = builders.make_user(acme.pool)
    builders.link_openid(user, IDENTITY.openid, app_id=acme.source.app_id)
    builders.link_unionid(other, IDENTITY.unionid)
    unlinked = LinkedAccount.objects.filter(kind="unionid")
    change_before_the_lock(monkeypatch, unlinked.delete)

    with pytest.raises(LostRace), transaction.atomic():
        find_identity(acme.source, IDENTITY)


# What belongs together


def test_rows_that_were_seen_to_be_one_wechat_account_become_one_identity(acme, user):
    builders.link_openid(user, IDENTITY.openid, app_id=acme.source.app_id)
    group = builders.link_unionid(user, IDENTITY.unionid).wechat_identity
    builders.link_openid(user, "o-elsewhere", app_id="wx1", wechat_identity=group)
    builders.link_openid(user, "o-of-another-wechat", app_id="wx2")

    with transaction.atomic():
        find_identity(acme.source, IDENTITY).link_to(user, now=timezone.now())

    assert groups_of(user) == {
        frozenset({IDENTITY.openid, IDENTITY.unionid, "o-elsewhere"}),
        frozenset({"o-of-another-wechat"}),
    }


def test_a_lone_openid_is_an_identity_of_its_own_beside_the_others(acme, user):
    builders.link_openid(user, "o-of-another-wechat", app_id="wx2")
    lone = WeChatIdentity(openid=IDENTITY.openid, unionid=None)

    with transaction.atomic():
        found = find_identity(acme.source, lone)
        found.link_to(user, now=timezone.now())

    assert found.missing == ["openid"]
    assert groups_of(user) == {frozenset({lone.openid}), frozenset({"o-of-another-wechat"})}


def test_identities_of_another_pool_are_nobodys(acme, globex):
    stranger = builders.make_user(globex.pool)
    builders.link_openid(stranger, IDENTITY.openid, app_id=acme.source.app_id)
    builders.link_unionid(stranger, IDENTITY.unionid)

    with transaction.atomic():
        assert find_identity(acme.source, IDENTITY).rows == []

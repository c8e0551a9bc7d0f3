"""The rows of an identity, where somebody else is at work on them at the same time."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.login.exchange import WeChatIdentity
from accounts.login.identities import find_identity
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


# When it was seen


@pytest.mark.parametrize(
    ("age", "fields", "written"),
    [
        (timedelta(minutes=60), {}, False),
        (timedelta(minutes=60, seconds=1), {}, True),
        (timedelta(0), {"unionid": "oSANDBOX_an_older_union"}, True),
        (timedelta(0), {"unionid": ""}, True),
    ],
)
def test_when_a_row_was_seen_is_written_once_an_hour_or_with_another_unionid(
    acme, user, age, fields, written
):
    now = timezone.now()
    seen = {"unionid": IDENTITY.unionid, "last_seen_at": now - age} | fields
    row = builders.link_openid(user, IDENTITY.openid, app_id=acme.source.app_id, **seen)
    group = {"wechat_identity": row.wechat_identity, "last_seen_at": now - age}
    builders.link_unionid(user, IDENTITY.unionid, **group)

    with transaction.atomic():
        find_identity(acme.source, IDENTITY).link_to(user, now=now)

    rows = LinkedAccount.objects.values_list("unionid", "last_seen_at")
    assert set(rows) == {(IDENTITY.unionid, now if written else now - age)}


def test_a_login_without_a_unionid_forgets_none(acme, user):
    now = timezone.now()
    seen = {"unionid": IDENTITY.unionid, "last_seen_at": now - timedelta(hours=2)}
    builders.link_openid(user, IDENTITY.openid, app_id=acme.source.app_id, **seen)
    lone = WeChatIdentity(openid=IDENTITY.openid, unionid=None)

    with transaction.atomic():
        find_identity(acme.source, lone).link_to(user, now=now)

    row = LinkedAccount.objects.get()
    assert (row.unionid, row.last_seen_at) == (IDENTITY.unionid, now)


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

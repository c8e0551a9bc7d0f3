"""Whose suspended account was erased stays out: a keyed hash goes on refusing their WeChat."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.models import BlockedIdentity, LinkedAccount
from accounts.users.closing import close, erase_due
from accounts.users.suspension import lift_suspension, suspend
from applications.client_authentication import ClientCredentials
from tests.support import builders
from tests.support.records import count_rows
from tests.support.secret_scanner import Scanner, dump

NOW = timezone.now()
LATER = NOW + timedelta(days=30)
IDS = ["o-openid-of-mallory", "u-unionid-of-mallory"]
SECOND = "wx00000000000000aa"
NEW_KEY = b"n" * 32


@pytest.fixture
def erased(weixin):
    """Mallory, who was suspended, closed her account and was erased."""
    weixin.add_source(SECOND)
    user = weixin.enter(*IDS).user
    suspend(user, now=NOW)
    close(user, now=NOW)
    assert erase_due(now=LATER) == 1
    return user


ARRIVALS = {
    "the same": (*IDS, builders.LIVE_APP_ID),
    "her OpenID alone": (IDS[0], None, builders.LIVE_APP_ID),
    "her UnionID, from another app": ("o-elsewhere", IDS[1], SECOND),
    "her OpenID with another UnionID": (IDS[0], "u-other", builders.LIVE_APP_ID),
}


@pytest.mark.parametrize("association", ["none", "field", "ask"])
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_her_wechat_is_refused_wherever_she_comes_from(weixin, erased, arrival, association):
    weixin.tenant.pool.identity_sources.update(association=association)
    openid, unionid, app_id = ARRIVALS[arrival]
    before = count_rows()

    with pytest.raises(refusals.UserSuspended):
        weixin.enter(openid, unionid, app_id=app_id)

    assert count_rows() - before == {"accounts.LoginEvent": 1, "accounts.CodeExchange": 1}
    assert LinkedAccount.objects.count() == 0


def test_her_unionid_doesnt_come_in_by_an_openid_that_somebody_has(weixin, erased):
    user = weixin.enter("o-of-ben").user

    with pytest.raises(refusals.UserSuspended):
        weixin.enter("o-of-ben", IDS[1])

    assert weixin.enter("o-of-ben").user == user


def test_what_stays_is_a_hash_of_each_that_tells_nothing(erased):
    rows = BlockedIdentity.objects.all()

    assert len(rows) == 2
    scanner = Scanner(IDS)
    assert [cell for *cell, value in dump() if scanner.found_in(value)] == []
    assert len({row.identity_hash for row in rows}) == 2


def test_it_refuses_after_the_keys_were_rotated_while_the_old_one_is_kept(weixin, erased, settings):
    settings.ENCRYPTION_KEYS = (NEW_KEY, *settings.ENCRYPTION_KEYS)

    with pytest.raises(refusals.UserSuspended):
        weixin.enter(*IDS)


def test_others_come_in(weixin, erased):
    assert weixin.enter("o-of-ben", "u-of-ben").created
    # OpenIDs are one app's: the same text elsewhere is somebody else.
    assert weixin.enter(IDS[0], "u-of-cai", app_id=SECOND).created


def test_another_pool_lets_her_in(weixin, erased, globex, live):
    globex.method.delete()
    source = builders.make_source(globex.pool, identifier="live", app_id=SECOND, mode="live")
    builders.offer(globex.application, source)

    client = ClientCredentials("globex-shop")

    assert weixin.enter(*IDS, client=client, identity_source=None).created


def test_an_account_that_wasnt_suspended_leaves_no_hash(weixin):
    close(weixin.enter(*IDS).user, now=NOW)
    erase_due(now=LATER)

    assert BlockedIdentity.objects.count() == 0
    assert weixin.enter(*IDS).created


def test_while_it_is_only_closed_she_is_told_so(weixin):
    user = weixin.enter(*IDS).user
    suspend(user, now=NOW)
    close(user, now=NOW)

    with pytest.raises(refusals.AccountClosed):
        weixin.enter(*IDS)


def test_a_suspension_that_was_lifted_blocks_nobody(weixin):
    user = weixin.enter(*IDS).user
    suspend(user, now=NOW)
    lift_suspension(user, now=NOW)
    close(user, now=NOW)
    erase_due(now=LATER)

    assert weixin.enter(*IDS).created

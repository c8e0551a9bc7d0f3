"""Undoing a merge after people went on logging in: nobody is left with the other's WeChat."""

import pytest
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.merging.undo import undo
from accounts.models import LinkedAccount, Merge, User
from accounts.wechat_events.handlers import modify_profile, revoke
from identity_sources.wechat.push import Push
from tests.support import builders
from tests.support.records import assert_invariants

SECOND, THIRD = "wx00000000000000aa", "wx00000000000000bb"
NUMBER = "+8613800138001"


@pytest.fixture
def operator(acme):
    return builders.make_operator("ada", acme.pool)


@pytest.fixture
def apps(weixin):
    """Two more mini programs, all of one Open Platform account."""
    weixin.add_source(SECOND)
    weixin.add_source(THIRD)


@pytest.fixture
def victim(weixin, apps):
    return weixin.enter("oV", "uV", app_id=SECOND).user


def merged_by_mistake(victim, other, operator):
    return merge_by_hand(victim, other, operator=operator, now=timezone.now())


def openids(user):
    return set(user.linked_accounts.filter(kind="openid").values_list("openid", flat=True))


def test_a_unionid_that_came_late_goes_with_the_openid_that_it_came_with(weixin, victim, operator):
    mallory = weixin.enter("oM").user
    made = merged_by_mistake(victim, mallory, operator)
    assert weixin.enter("oM", "uM").user == victim

    undo(made, operator=operator, now=timezone.now())

    assert weixin.enter("oM3", "uM", app_id=THIRD).user == mallory
    assert weixin.enter("oV", "uV", app_id=SECOND).user == victim
    assert_invariants()


def test_an_openid_that_came_with_a_unionid_goes_with_it(weixin, victim, operator):
    mallory = weixin.enter("oM", "uM").user
    made = merged_by_mistake(victim, mallory, operator)
    assert weixin.enter("oM3", "uM", app_id=THIRD).user == victim

    undo(made, operator=operator, now=timezone.now())

    assert (openids(victim), openids(mallory)) == ({"oV"}, {"oM", "oM3"})
    assert weixin.enter("oM3", "uM", app_id=THIRD).user == mallory
    assert len(set(mallory.linked_accounts.values_list("wechat_identity", flat=True))) == 1
    assert_invariants()


def test_what_came_with_the_survivors_own_unionid_stays(weixin, victim, operator):
    mallory = weixin.enter("oM", "uM").user
    made = merged_by_mistake(victim, mallory, operator)
    assert weixin.enter("oV3", "uV", app_id=THIRD).user == victim

    undo(made, operator=operator, now=timezone.now())

    assert (openids(victim), openids(mallory)) == ({"oV", "oV3"}, {"oM"})
    assert_invariants()


def test_after_a_merge_by_a_login_the_unionid_and_what_came_with_it_go_back(weixin, apps, operator):
    older = weixin.enter("o1").user
    younger = weixin.enter("o2", "u", app_id=SECOND).user
    assert weixin.enter("o1", "u").user == older
    assert weixin.enter("o3", "u", app_id=THIRD).user == older

    undo(Merge.objects.get(), operator=operator, now=timezone.now())

    assert (openids(older), openids(younger)) == ({"o1"}, {"o2", "o3"})
    assert LinkedAccount.objects.get(kind="unionid").user == younger
    identities = [
        set(user.linked_accounts.values_list("wechat_identity", flat=True))
        for user in (older, younger)
    ]
    assert identities[0].isdisjoint(identities[1])
    assert_invariants()


@pytest.mark.parametrize("withdraw", [revoke, modify_profile])
def test_what_was_withdrawn_meanwhile_comes_back_to_nobody(
    acme, weixin, victim, operator, withdraw
):
    mallory = weixin.enter("oM", "uM").user
    User.objects.filter(pk=mallory.pk).update(
        phone_number=NUMBER, phone_number_verified_at=timezone.now(), nickname="M", avatar_url="a"
    )
    mallory.refresh_from_db()
    made = merged_by_mistake(victim, mallory, operator)
    source = acme.pool.identity_sources.get(identifier="live-cdef")
    fields = {"openid": "oM", "revokeinfo": "6,8", "event": withdraw.__name__}
    withdraw(source, Push(mode="safe", fields=fields), timezone.now())

    undo(made, operator=operator, now=timezone.now())

    for user in (victim, mallory):
        user.refresh_from_db()
        assert (user.nickname, user.avatar_url) == ("", "")
        if withdraw is revoke:
            assert (user.phone_number, user.phone_number_verified_at) == ("", None)


def test_a_number_that_was_proven_meanwhile_is_nobodys(weixin, victim, operator):
    mallory = weixin.enter("oM", "uM").user
    made = merged_by_mistake(victim, mallory, operator)
    weixin.enter("oM", "uM", number="13800138009")
    victim.refresh_from_db()
    assert victim.phone_number == "+8613800138009"

    undo(made, operator=operator, now=timezone.now())

    for user in (victim, mallory):
        user.refresh_from_db()
        assert (user.phone_number, user.phone_number_verified_at) == ("", None)


def test_a_number_that_the_survivor_had_before_stays(weixin, apps, operator):
    victim = weixin.enter("oV").user
    User.objects.filter(pk=victim.pk).update(
        phone_number=NUMBER, phone_number_verified_at=timezone.now()
    )
    victim.refresh_from_db()
    mallory = weixin.enter("oM", "uM", app_id=SECOND).user
    made = merged_by_mistake(victim, mallory, operator)

    undo(made, operator=operator, now=timezone.now())

    victim.refresh_from_db()
    assert victim.phone_number == NUMBER


def test_a_wechat_account_that_was_linked_meanwhile_is_nobodys(weixin, victim, operator):
    mallory = weixin.enter("oM", "uM").user
    made = merged_by_mistake(victim, mallory, operator)
    builders.link_openid(victim, "oX", app_id=THIRD)
    builders.link_unionid(victim, "uX")

    undo(made, operator=operator, now=timezone.now())

    assert openids(victim) | openids(mallory) == {"oV", "oM"}
    assert weixin.enter("oX", "uX", app_id=THIRD).created
    assert victim.account_events.filter(kind="unlinked").count() == 1

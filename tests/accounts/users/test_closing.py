"""Closing an account and opening it again: who may, what ends at once, and what stays for now."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.models import AccountEvent, Session, User
from accounts.users.closing import close, erase_due, reopen
from accounts.users.suspension import lift_suspension, suspend
from tests.support import builders
from tests.support.people import EMAIL, PHONE, give
from tests.support.records import count_rows, groups_of

NOW = timezone.now()
GRACE = timedelta(days=30)


@pytest.fixture
def ann(weixin):
    """Ann, of whom everything is known, and who is logged in twice."""
    user = weixin.enter("o1", "u1").user
    weixin.enter("o1", "u1")
    give(user, **PHONE, **EMAIL, nickname="Ann", password="a hash")
    return user


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_only_an_account_that_is_open_is_closed(acme, ann, status):
    survivor = builders.make_user(acme.pool) if status == "merged" else None
    give(ann, status=status, merged_into=survivor)
    before = count_rows()

    assert close(ann, now=NOW) is False

    ann.refresh_from_db()
    assert (ann.status, ann.closed_at) == (status, None)
    assert count_rows() == before


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_closing_ends_every_session_at_once_and_keeps_the_data_for_now(acme, ann, status):
    give(ann, status=status)

    assert close(ann, now=NOW, application=acme.application)

    ann.refresh_from_db()
    assert (ann.status, ann.closed_at, ann.erased_at) == ("closed", NOW, None)
    assert {(s.ended_at, s.end_reason) for s in Session.objects.all()} == {(NOW, "account_closed")}
    assert (ann.nickname, groups_of(ann)) == ("Ann", {frozenset({"o1", "u1"})})
    (told,) = AccountEvent.objects.all()
    facts = {"suspended": True} if status == "suspended" else {}
    assert (told.kind, told.user, told.application, told.facts) == (
        "closed",
        ann,
        acme.application,
        facts,
    )


def test_a_session_that_had_ended_keeps_its_end(ann):
    Session.objects.update(ended_at=NOW - GRACE, end_reason="logged_out")

    close(ann, now=NOW)

    assert set(Session.objects.values_list("end_reason", flat=True)) == {"logged_out"}


@pytest.mark.parametrize("identity", [("o1", "u1"), ("o1", None), ("o-new", "u1")])
def test_until_it_is_erased_whoever_comes_is_told_that_it_was_closed(weixin, ann, identity):
    close(ann, now=NOW)

    with pytest.raises(refusals.AccountClosed):
        weixin.enter(*identity)


def test_the_number_of_a_closed_account_matches_nobody(weixin, ann):
    weixin.tenant.pool.identity_sources.update(association="field")
    close(ann, now=NOW)

    login = weixin.enter("o9", number="13800138001")

    assert (login.created, login.phone_status) == (True, "taken")


def test_others_go_on(acme, weixin, ann):
    ben = weixin.enter("o-ben").user

    close(ann, now=NOW)

    assert Session.objects.get(ended_at=None).user == ben


# Opening it again


@pytest.mark.parametrize("status", ["active", "suspended", "merged"])
def test_only_a_closed_account_is_opened_again(acme, ann, operator, status):
    survivor = builders.make_user(acme.pool) if status == "merged" else None
    give(ann, status=status, merged_into=survivor)

    assert reopen(ann, operator=operator, now=NOW) is False
    assert User.objects.get(pk=ann.pk).status == status


def test_an_erased_account_isnt_opened_again(ann, operator):
    close(ann, now=NOW)
    erase_due(now=NOW + GRACE)

    assert reopen(ann, operator=operator, now=NOW + GRACE) is False
    assert User.objects.get(pk=ann.pk).status == "closed"


def test_an_account_that_is_opened_again_is_as_it_was_but_logged_out(weixin, ann, operator):
    close(ann, now=NOW)

    assert reopen(ann, operator=operator, now=NOW + GRACE)

    ann.refresh_from_db()
    assert (ann.status, ann.closed_at, ann.nickname) == ("active", None, "Ann")
    assert Session.objects.filter(ended_at=None).count() == 0
    assert weixin.enter("o1", "u1").user == ann
    assert AccountEvent.objects.get(kind="reopened").operator == operator
    assert erase_due(now=NOW + 2 * GRACE) == 0


@pytest.mark.parametrize("linked", [True, False])
def test_who_was_suspended_when_it_was_closed_is_suspended_again(weixin, ann, operator, linked):
    if not linked:
        ann.linked_accounts.all().delete()
    suspend(ann, now=NOW)
    close(ann, now=NOW)

    assert reopen(ann, operator=operator, now=NOW)

    assert User.objects.get(pk=ann.pk).status == "suspended"
    lift_suspension(ann, now=NOW)
    assert User.objects.get(pk=ann.pk).status == "active"

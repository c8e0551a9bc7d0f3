"""A person's own phone number: proven by WeChat, taken from a former owner, or left as it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.models import AccountEvent, LinkedAccount, Session, User
from accounts.users.own_phone import change_number
from applications.models import LoginMethod
from applications.offers import LoginMethodDisabled
from config.kernel.errors import DomainError, InvalidRequest
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.people import give

NUMBER, PHONE = "13800138001", "+8613800138001"
OTHER = "+8613800138009"


@pytest.fixture
def session(weixin):
    """Ann's, who came with the OpenID o1."""
    weixin.enter("o1", "u1")
    return Session.objects.select_related("user", "application", "identity_source").get()


@pytest.fixture
def change(weixin, session):
    def run(number=NUMBER, openid="o1", *, code=None):
        code = code or weixin.phone_code(number, openid)
        return change_number(session, code, now=timezone.now())

    return run


def verified(days=0, number=PHONE, **fields):
    verified_at = timezone.now() - timedelta(days=days)
    return {"phone_number": number, "phone_number_verified_at": verified_at} | fields


def numbers():
    return dict(User.objects.values_list("sub", "phone_number"))


def refused(refusal_class, work, *arguments, **fields):
    before, told = numbers(), AccountEvent.objects.count()
    with pytest.raises(refusal_class) as caught:
        work(*arguments, **fields)
    assert (numbers(), AccountEvent.objects.count()) == (before, told)
    return caught.value


@pytest.mark.parametrize("openid", ["o-of-another", None])
def test_a_code_of_somebody_else_or_of_nobody_changes_nothing(session, change, openid):
    give(session.user, **verified(number=OTHER))

    refused(refusals.InvalidCode, change, openid=openid, code=None if openid else "unknown-code")


def test_where_wechat_is_away_nothing_changes(weixin, session, change):
    weixin.phones_are_away = True

    refused(refusals.WeChatAway, change)


@pytest.mark.parametrize("days", [0, 179])
@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
def test_a_number_that_another_user_proved_lately_is_taken(session, change, days, status):
    builders.make_user(session.pool, **verified(days, status=status))

    refused(refusals.PhoneTaken, change)


def test_without_the_openid_nothing_would_prove_whose_number_it_is(weixin, session, change):
    LinkedAccount.objects.filter(kind="openid").delete()

    refused(InvalidRequest, change)

    assert "getuserphonenumber" not in [call for call, _ in weixin.asked]


@pytest.mark.parametrize(
    "switch_off",
    [
        lambda: IdentitySource.objects.update(enabled=False),
        lambda: LoginMethod.objects.update(enabled=False),
    ],
)
def test_what_was_switched_off_changes_nothing(session, change, switch_off):
    switch_off()

    refused(LoginMethodDisabled, change)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_whoever_was_shut_out_meanwhile_gets_no_number(session, change, status):
    User.objects.update(status=status)

    refused(DomainError, change)


def test_a_first_number_is_stored_and_told(session, change):
    assert change() == "stored"

    session.user.refresh_from_db()
    assert session.user.phone_number == PHONE
    assert session.user.phone_number_verified_at is not None
    (told,) = AccountEvent.objects.all()
    assert (told.kind, told.user, told.facts) == ("phone_stored", session.user, {})


def test_a_new_number_replaces_the_one_before(session, change):
    give(session.user, **verified(number=OTHER))

    assert change() == "stored"

    assert numbers() == {session.user.sub: PHONE}


@pytest.mark.parametrize("verified_at", [None, timezone.now() - timedelta(days=400)])
def test_the_same_number_is_proven_anew(session, change, verified_at):
    give(session.user, phone_number=PHONE, phone_number_verified_at=verified_at)

    assert change() == ("unchanged" if verified_at else "stored")

    session.user.refresh_from_db()
    assert timezone.now() - session.user.phone_number_verified_at < timedelta(minutes=1)


def test_a_number_that_has_a_new_owner_leaves_the_old_one_who_keeps_the_account(session, change):
    holder = builders.make_user(session.pool, **verified(181, nickname="Ben"))

    assert change() == "stored"

    holder.refresh_from_db()
    assert (holder.phone_number, holder.phone_number_verified_at) == ("", None)
    assert (holder.nickname, holder.status) == ("Ben", "active")
    assert numbers()[session.user.sub] == PHONE
    told = {(event.user, event.kind) for event in AccountEvent.objects.all()}
    assert told == {(holder, "phone_lost"), (session.user, "phone_stored")}
    assert PHONE not in str(list(AccountEvent.objects.values()))


def test_how_long_a_number_is_kept_is_a_setting(session, change, settings):
    builders.make_user(session.pool, **verified(10))
    settings.PHONE_PROOF_DAYS = 9

    assert change() == "stored"


def test_a_number_that_another_only_claims_or_of_another_pool_is_free(session, change, globex):
    claimed = builders.make_user(session.pool, phone_number=PHONE)
    builders.make_user(globex.pool, **verified())

    assert change() == "stored"
    claimed.refresh_from_db()
    assert claimed.phone_number == PHONE


def test_a_code_that_is_sent_twice_is_exchanged_once(weixin, session, change):
    code = weixin.phone_code(NUMBER, "o1")

    assert [change(code=code), change(code=code)] == ["stored", "unchanged"]
    assert [call for call, _ in weixin.asked].count("getuserphonenumber") == 1


def test_a_code_that_came_with_a_login_isnt_exchanged_again(weixin, session, change):
    code = weixin.phone_code(NUMBER, "o1")
    weixin.enter("o1", phone_code=code)

    assert change(code=code) in {"stored", "unchanged"}
    assert [call for call, _ in weixin.asked].count("getuserphonenumber") == 1


def test_a_number_that_was_taken_at_the_login_may_be_taken_over_by_its_code(
    weixin, session, change
):
    """A login takes nobody's number; the person who asks for it may, with the same code."""
    builders.make_user(session.pool, **verified(181))
    code = weixin.phone_code(NUMBER, "o1")
    assert weixin.enter("o1", phone_code=code).phone_status == "taken"

    assert change(code=code) == "stored"

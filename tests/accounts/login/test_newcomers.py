"""Who an identity becomes that nobody has, by the source's association: none, field or ask."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.models import BindingTicket, LinkedAccount, User
from tests.support import builders
from tests.support.people import give
from tests.support.records import count_rows, event, events, groups_of, refusal

NUMBER, PHONE = "13800138001", "+8613800138001"
LIVE = {"identity_source__identifier": "live-cdef"}


@pytest.fixture
def associate(weixin):
    """Set the source's association and registration."""

    def set_to(association, registration="open"):
        weixin.tenant.pool.identity_sources.filter(app_id=builders.LIVE_APP_ID).update(
            association=association, registration=registration
        )
        return weixin

    return set_to


@pytest.fixture
def holder(acme):
    """Somebody whose number was verified a month ago."""
    verified_at = timezone.now() - timedelta(days=30)
    return builders.make_user(acme.pool, phone_number=PHONE, phone_number_verified_at=verified_at)


def refused(refusal_class, work):
    with pytest.raises(refusal_class) as caught:
        work()
    assert type(caught.value) is refusal_class
    return caught.value


# none


@pytest.mark.parametrize("number", [None, NUMBER])
def test_none_makes_a_new_user_whatever_number_comes_along(associate, holder, number):
    login = associate("none").enter("o1", number=number)

    assert (login.created, login.user == holder) == (True, False)
    assert login.phone_status == ("taken" if number else None)


# field: by the number


def test_field_refuses_a_stranger_without_a_phone_code(associate, holder):
    weixin = associate("field")

    refused(refusals.PhoneCodeRequired, lambda: weixin.enter("o1"))

    assert events() == [refusal("phone_code_required", **LIVE)]
    assert LinkedAccount.objects.count() == 0


@pytest.mark.parametrize("registration", ["open", "closed"])
def test_field_refuses_a_phone_code_that_wechat_refuses(associate, holder, registration):
    weixin = associate("field", registration)
    others = weixin.phone_code(NUMBER, "o-of-somebody-else")

    for code in ("unknown-code", others):
        error = refused(refusals.PhoneCodeRequired, lambda c=code: weixin.enter("o1", phone_code=c))
        assert error.description.startswith("phone_code: ")

    assert LinkedAccount.objects.count() == 0


def test_a_phone_code_that_wechat_refused_stays_refused(associate):
    """Though the login that it came with was refused, which stores nothing."""
    weixin = associate("field")

    for _attempt in range(2):
        error = refused(
            refusals.PhoneCodeRequired, lambda: weixin.enter("o1", phone_code="unknown-code")
        )
        assert error.description.startswith("phone_code: ")

    assert [call for call, _code in weixin.asked].count("getuserphonenumber") == 1


@pytest.mark.parametrize("registration", ["open", "closed"])
def test_field_makes_no_guess_where_wechat_cant_be_asked_for_the_number(
    associate, holder, registration
):
    weixin = associate("field", registration)
    weixin.phones_are_away = True

    refused(refusals.WeChatAway, lambda: weixin.enter("o1", number=NUMBER))

    assert LinkedAccount.objects.count() == 0


def other_unionid(holder):
    builders.link_unionid(holder, "u-other")


def other_openid(holder):
    builders.link_openid(holder, "o-other")


UNFIT = {
    "verified too long ago": lambda holder: give(
        holder, phone_number_verified_at=timezone.now() - timedelta(days=180, minutes=1)
    ),
    "never verified": lambda holder: give(holder, phone_number_verified_at=None),
    "suspended": lambda holder: give(holder, status="suspended"),
    "closed": lambda holder: give(holder, status="closed"),
    "has another OpenID of the AppID": other_openid,
    "has another UnionID": other_unionid,
    "has another number": lambda holder: give(holder, phone_number="+8613800138002"),
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_field_makes_a_new_user_where_the_number_stands_for_nobody(associate, holder, unfit):
    UNFIT[unfit](holder)

    login = associate("field").enter("o1", "u1", number=NUMBER)

    assert (login.created, login.user == holder) == (True, False)
    assert groups_of(login.user) == {frozenset({"o1", "u1"})}
    assert events() == [event(phone_status=login.phone_status, **LIVE)]


@pytest.mark.parametrize("unfit", UNFIT)
def test_field_refuses_them_at_a_login_only_source(associate, holder, unfit):
    UNFIT[unfit](holder)
    weixin = associate("field", "closed")

    refused(refusals.RegistrationClosed, lambda: weixin.enter("o1", "u1", number=NUMBER))

    assert User.objects.count() == 1


def test_field_knows_nobody_of_another_pool(associate, globex):
    builders.make_user(globex.pool, phone_number=PHONE, phone_number_verified_at=timezone.now())

    assert associate("field").enter("o1", number=NUMBER).created


@pytest.mark.parametrize("registration", ["open", "closed"])
@pytest.mark.parametrize("days", [0, 179])
@pytest.mark.parametrize("unionid", [None, "u1"])
def test_field_finds_the_one_whose_number_it_is(associate, holder, registration, days, unionid):
    give(holder, phone_number_verified_at=timezone.now() - timedelta(days=days))
    builders.link_openid(holder, "o-elsewhere", app_id="wx00000000000000aa")

    login = associate("field", registration).enter("o1", unionid, number=NUMBER)

    assert (login.user, login.created, login.phone_status) == (holder, False, "unchanged")
    assert groups_of(holder) == {
        frozenset({"o1", unionid} - {None}),
        frozenset({"o-elsewhere"}),
    }
    assert events() == [event(decision="matched_phone", phone_status="unchanged", **LIVE)]


def test_how_long_a_number_proves_is_a_setting(associate, holder, settings):
    settings.PHONE_PROOF_DAYS = 29

    assert associate("field").enter("o1", number=NUMBER).user != holder


@pytest.mark.parametrize("association", ["field", "ask"])
def test_whoever_is_known_needs_neither_number_nor_choice(associate, association):
    user = associate("none").enter("o1", "u1").user
    weixin = associate(association, "closed")

    assert weixin.enter("o1", "u1").user == user
    assert weixin.enter("o1").user == user


# ask


@pytest.mark.parametrize("registration", ["open", "closed"])
@pytest.mark.parametrize("number", [None, NUMBER])
def test_ask_refuses_with_a_ticket_and_matches_nobody_by_itself(
    associate, holder, registration, number
):
    weixin = associate("ask", registration)
    before = count_rows()

    error = refused(
        refusals.AccountBindingRequired, lambda: weixin.enter("o1", "u1", number=number)
    )

    assert error.extra == {
        "binding_ticket": error.extra["binding_ticket"],
        "expires_in": 300,
        "may_create": registration == "open",
        "methods": ["password", "phone_code"],
    }
    assert (count_rows() - before)["accounts.BindingTicket"] == 1
    assert events() == [refusal("account_binding_required", **LIVE)]
    assert BindingTicket.objects.get().used_at is None
    assert LinkedAccount.objects.count() == 0


# What WeChat is asked for money


@pytest.mark.parametrize("status", ["suspended", "closed"])
@pytest.mark.parametrize("association", ["none", "field", "ask"])
def test_no_number_is_asked_for_somebody_who_is_refused_anyway(associate, association, status):
    weixin = associate("none")
    give(weixin.enter("o1").user, status=status)
    associate(association)
    weixin.asked.clear()

    with pytest.raises((refusals.UserSuspended, refusals.AccountClosed)):
        weixin.enter("o1", number=NUMBER)

    assert [call for call, _ in weixin.asked] == ["jscode2session"]


def test_no_number_is_asked_for_a_stranger_where_none_are_let_in(associate):
    weixin = associate("none", "closed")

    refused(refusals.RegistrationClosed, lambda: weixin.enter("o1", number=NUMBER))

    assert [call for call, _ in weixin.asked] == ["jscode2session"]

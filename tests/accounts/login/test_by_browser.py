"""What the rules of a login refuse at the hosted door, in the person's words and in the events."""

import pytest
from django.utils import timezone

from accounts.models import BrowserSession, LoginEvent, Session, User
from accounts.users.suspension import suspend
from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Fault, FaultKind
from tests.support.client import GuardedClient
from tests.support.login_steps import come_back, confirmed, log_in_on, open_login, set_out
from tests.support.pages import Page
from tests.support.records import event, events, refusal
from tests.support.website import answered, log_in_by_browser

pytestmark = pytest.mark.usefixtures("site")

HOSTED = {
    "application__client_id": "acme-spa",
    "identity_source__identifier": "acme-site",
    "door": "hosted",
    "way": "website_qr",
}


def told_on_the_page(client, response):
    """Return what the person reads, who is sent back to the login page."""
    assert response["Location"].startswith("/login/acme/")
    return Page(client.get(response["Location"])).text


def log_in_on_page(client, person="alice"):
    return log_in_on(client, open_login(client), person)


def test_a_login_makes_a_session_of_the_browser_and_is_recorded(client):
    answered(log_in_on_page(client))

    session = Session.objects.get()
    assert events() == [event(**HOSTED, user__sub=session.user.sub, decision="created")]
    assert LoginEvent.objects.get().sid == session.pk
    assert session.browser_session.auth_time == session.auth_time
    assert (session.way, session.browser_session.way) == ("website_qr", "website_qr")


def test_whoever_comes_again_is_the_same_person(client):
    answered(log_in_on_page(client))
    answered(log_in_on_page(GuardedClient()))

    assert User.objects.count() == 1
    assert [one["decision"] for one in events()] == ["created", "matched_openid"]


def test_a_mini_programs_person_is_the_same_one_by_their_unionid(client, log_in):
    sub = log_in("alice").json()["user"]["sub"]

    answered(log_in_on_page(client))

    assert Session.objects.latest("pk").user.sub == sub


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("suspended", "user_suspended", "This account is suspended."),
        ("closed", "account_closed", "This account was closed."),
    ],
)
def test_an_account_that_is_not_active_is_refused(client, status, error, words):
    log_in_by_browser(GuardedClient())
    User.objects.update(status=status)

    response = log_in_on_page(client)

    assert words in told_on_the_page(client, response)
    assert events()[-1] == refusal(error, **HOSTED)
    assert BrowserSession.objects.count() == 1


def test_a_stranger_is_refused_where_registration_is_closed(client, site):
    IdentitySource.objects.filter(pk=site.source.pk).update(registration="closed")

    response = log_in_on_page(client)

    assert "new ones aren't opened here" in told_on_the_page(client, response)
    assert events() == [refusal("registration_closed", **HOSTED)]
    assert not User.objects.exists()


def test_a_stranger_is_refused_where_a_phone_number_is_needed(client, site):
    IdentitySource.objects.filter(pk=site.source.pk).update(association="field")

    response = log_in_on_page(client)

    assert "Log in by the mini program first" in told_on_the_page(client, response)
    assert events() == [refusal("phone_code_required", **HOSTED)]


def test_whom_wechat_blocks_is_refused(client, wechat):
    wechat.script(Fault(FaultKind.REFUSAL, errcode=40226), call="oauth2_access_token")

    response = log_in_on_page(client)

    assert "Trying again doesn't help" in told_on_the_page(client, response)
    assert events() == [
        refusal("wechat_user_blocked", **HOSTED, wechat_errcode=40226)
        | {"wechat_rid": events()[0]["wechat_rid"]}
    ]


@pytest.mark.parametrize(
    "fault", [FaultKind.READ_TIMEOUT, FaultKind.HTML_PAGE, FaultKind.CONNECTION_REFUSED]
)
def test_a_wechat_that_is_away_is_said_to_be(client, wechat, fault):
    wechat.script(Fault(fault), call="oauth2_access_token", times=9)

    response = log_in_on_page(client)

    assert "WeChat doesn't answer at the moment" in told_on_the_page(client, response)
    assert events()[0]["error"] == "wechat_unavailable"


def test_a_wrong_app_secret_is_no_fault_of_the_persons(client, site):
    site.source.set_app_secret("0123456789abcdef0123456789abcdef", now=timezone.now())
    site.source.save()

    response = log_in_on_page(client)

    told = told_on_the_page(client, response)
    assert "it isn't your fault" in told
    assert "secret" not in told.lower()
    assert events()[0]["error"] == "identity_source_misconfigured"


def test_a_code_that_wechat_does_not_know_is_refused(client):
    response = come_back(client, set_out(client, open_login(client)), code="0" * 32)

    assert "WeChat's answer was too old" in told_on_the_page(client, response)
    assert events()[0]["error"] == "invalid_code"


def test_a_code_of_wechats_is_good_once(client):
    """Unlike a mini program's: a browser that comes twice is not the same browser (rule 9)."""
    at_wechat = set_out(client, open_login(client))
    code = _code_of(client, at_wechat)
    other = GuardedClient()

    response = come_back(other, set_out(other, open_login(other)), code=code)

    assert "used before" in told_on_the_page(other, response)
    assert events()[-1]["error"] == "code_already_used"
    assert Session.objects.count() == 1


def _code_of(client, at_wechat):
    code = confirmed()
    answered(come_back(client, at_wechat, code=code))
    return code


@pytest.mark.parametrize(
    ("switched_off", "error"),
    [
        ("application", "application_disabled"),
        ("source", "identity_source_disabled"),
        ("method", "login_method_disabled"),
    ],
)
def test_what_is_switched_off_while_the_person_is_at_wechat_is_off(
    client, site, switched_off, error
):
    at_wechat = set_out(client, open_login(client))
    {
        "application": Application.objects.filter(pk=site.spa.pk),
        "source": IdentitySource.objects.filter(pk=site.source.pk),
        "method": LoginMethod.objects.filter(application=site.spa),
    }[switched_off].update(enabled=False)

    response = come_back(client, at_wechat)

    assert "switched off just now" in told_on_the_page(client, response)
    assert events()[0]["error"] == error
    assert not Session.objects.exists()


@pytest.mark.usefixtures("frozen_clock")
def test_an_address_that_was_refused_too_often_waits(client, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/min"
    page = open_login(client)
    for _time in range(2):
        page = come_back(client, set_out(client, page), code="0" * 32)["Location"]

    response = log_in_on(client, page, "alice")

    shown = client.get(response["Location"])
    assert shown.status_code == 429
    assert "Too many tries" in shown.content.decode()
    assert len(events()) == 2
    assert not Session.objects.exists()


def test_a_second_person_in_one_browser_takes_the_firsts_place(client):
    log_in_by_browser(client)
    page = open_login(client, prompt="login")

    answered(log_in_on(client, page, "bob"))

    alice, bob = Session.objects.order_by("auth_time")
    assert alice.user != bob.user
    assert (alice.end_reason, bob.ended_at) == ("logged_out", None)
    assert BrowserSession.objects.get(ended_at=None).user == bob.user


def test_the_same_persons_second_login_keeps_what_was_entered_before(client, site):
    log_in_by_browser(client)
    log_in_by_browser(client, "acme-native")
    page = open_login(client, prompt="login")

    answered(log_in_on(client, page))

    now = BrowserSession.objects.get(ended_at=None)
    assert Session.objects.count() == 3
    assert set(Session.objects.values_list("browser_session", "ended_at")) == {(now.pk, None)}


def test_a_suspended_person_loses_their_browser(client):
    log_in_by_browser(client)

    suspend(User.objects.get(), now=timezone.now())

    assert not BrowserSession.objects.filter(ended_at=None).exists()

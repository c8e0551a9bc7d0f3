"""What must happen once happens once, however many do it at the same moment."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import (
    AuthorizationCode,
    BrowserSession,
    Consent,
    DeviceAuthorization,
    LoginEvent,
    Session,
    User,
)
from accounts.oidc.authorization.consents import record_consent
from accounts.sessions.browsers import end_browser_session
from accounts.sessions.scopes import ALL_SCOPES
from applications.models import Application
from tests.support.client import GuardedClient
from tests.support.login_steps import confirmed, log_in_on, open_login, set_out
from tests.support.oidc import post
from tests.support.pages import see
from tests.support.website import authorize, log_in_by_browser, make_site

pytestmark = pytest.mark.postgresql

RACERS = 8


@pytest.fixture(autouse=True)
def racing(threaded_database):
    """Every test here needs a database for many threads."""


@pytest.fixture
def site(racing, acme):
    return make_site(acme.pool)


def same_browser(client):
    """Return another window of a browser: it has the same cookies."""
    window = GuardedClient()
    window.cookies.load({name: cookie.value for name, cookie in client.cookies.items()})
    return window


def windows(client):
    return [same_browser(client) for _racer in range(RACERS)]


def codes_in(responses):
    return [one["Location"] for one in responses if "?code=" in one.get("Location", "")]


def test_one_state_gives_one_code(client, site, together):
    at_wechat = set_out(client, open_login(client))
    query = {"state": at_wechat.state, "code": confirmed()}

    responses = together(lambda window: window.get(at_wechat.callback, query), windows(client))

    assert len(codes_in(responses)) == 1
    assert sorted(one.status_code for one in responses)[1:] == [400] * (RACERS - 1)
    assert AuthorizationCode.objects.count() == Session.objects.count() == 1


def test_one_request_is_answered_once(client, site, together):
    """Whoever went to WeChat from several windows comes back to several."""
    page = open_login(client)
    all_at_wechat = [set_out(client, page) for _racer in range(RACERS)]
    ways = [
        (window, at_wechat, confirmed())
        for window, at_wechat in zip(windows(client), all_at_wechat, strict=True)
    ]

    responses = together(
        lambda way: way[0].get(way[1].callback, {"state": way[1].state, "code": way[2]}), ways
    )

    assert len(codes_in(responses)) == 1
    assert AuthorizationCode.objects.count() == 1


def test_one_consent_gives_one_code(client, site, together):
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)
    page = log_in_on(client, open_login(client))["Location"]

    agreed = {"decision": "agree", "person": User.objects.get().sub}

    responses = together(lambda window: window.post(page, agreed), windows(client))

    assert len(codes_in(responses)) == 1
    assert (AuthorizationCode.objects.count(), Consent.objects.count()) == (1, 1)


def test_what_is_agreed_to_in_several_windows_is_all_remembered(client, site, together):
    log_in_by_browser(client)
    person = User.objects.get()

    def agree(scope):
        with transaction.atomic():
            record_consent(person, site.spa, (scope,), now=timezone.now())

    together(agree, list(ALL_SCOPES))

    assert Consent.objects.get().scope == " ".join(ALL_SCOPES)


def test_whoever_agrees_and_declines_at_once_does_one_of_the_two(client, site, together):
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)
    page = log_in_on(client, open_login(client))["Location"]
    decisions = zip(windows(client), ["agree", "decline"] * (RACERS // 2), strict=True)

    person = {"person": User.objects.get().sub}

    responses = together(
        lambda one: one[0].post(page, {"decision": one[1], **person}), list(decisions)
    )

    assert sorted(one.status_code for one in responses)[1:] == [400] * (RACERS - 1)
    agreed = len(codes_in(responses))
    assert AuthorizationCode.objects.count() == agreed
    assert (Session.objects.get().ended_at is None) is bool(agreed)


def test_an_application_entered_many_times_at_once_has_one_session(client, site, together):
    log_in_by_browser(client)

    responses = together(lambda window: authorize(window, "acme-native"), windows(client))

    assert len([one for one in responses if "code=" in one["Location"]]) == RACERS
    assert Session.objects.filter(application=site.native).count() == 1
    assert LoginEvent.objects.filter(door="single_sign_on").count() == RACERS


def test_nobody_stays_who_enters_while_they_are_signed_off(client, site, together):
    log_in_by_browser(client)
    signed_on = BrowserSession.objects.get()

    def enter(window):
        return authorize(window, "acme-native")

    def sign_off(_window):
        end_browser_session(signed_on, now=timezone.now())

    work = [enter] * (RACERS - 1) + [sign_off]
    together(lambda one: one[0](one[1]), list(zip(work, windows(client), strict=True)))

    assert not Session.objects.filter(ended_at=None).exists()


def test_a_device_is_let_in_by_one_of_many(site, together):
    user_code = post("device_authorization", {"client_id": "acme-native"}).json()["user_code"]
    people = []
    for person in ("alice", "bob") * (RACERS // 2):
        browser = GuardedClient()
        log_in_by_browser(browser, person=person)
        page = browser.post("/login/acme/device", {"user_code": user_code})["Location"]
        people.append((browser, page, see(browser, page).form.fields))

    responses = together(lambda one: one[0].post(one[1], one[2] | {"decision": "agree"}), people)

    assert sorted(one.status_code for one in responses) == [200] + [400] * (RACERS - 1)
    device = DeviceAuthorization.objects.get()
    assert Session.objects.get(application=site.native) == device.session

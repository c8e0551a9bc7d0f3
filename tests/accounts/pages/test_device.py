"""The code that a device shows: typed by who is logged in, confirmed by a press, good once."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import (
    AuthorizationRequest,
    BrowserSession,
    DeviceAuthorization,
    Session,
    User,
)
from accounts.pages import person
from accounts.pages.device import TRIES_OF_AN_ADDRESS
from accounts.sessions.browsers import end_browser_session
from applications.models import Application
from tests.support.client import GuardedClient
from tests.support.login_steps import AGREE, DECLINE, assert_gone, decide, log_in_on, open_login
from tests.support.oidc import claims_of, post
from tests.support.pages import Page, fill_in, see
from tests.support.website import log_in_by_browser, make_site

pytestmark = pytest.mark.usefixtures("site")

ENTRY = "/login/acme/device"
UNKNOWN = "No device waits with this code"


@pytest.fixture
def device(site):
    """What the device was given: the code to show, and the one to poll with."""
    fields = {"client_id": "acme-native", "scope": "openid profile"}
    answer = post("device_authorization", fields)
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture
def signed_on(client):
    log_in_by_browser(client)
    return client


def enter(browser, user_code):
    return browser.post(ENTRY, {"user_code": user_code})


def poll(device):
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    fields = {"grant_type": grant, "client_id": "acme-native", "device_code": device["device_code"]}
    answer = post("token", fields).json()
    return answer.get("error") or "tokens"


def test_whoever_is_signed_on_is_asked_and_lets_the_device_in(signed_on, device):
    page = enter(signed_on, device["user_code"])["Location"]
    assert "Let a device with Native in?" in see(signed_on, page).text

    done = decide(signed_on, page)

    assert "The device is logged in" in Page(done).text
    assert poll(device) == "tokens"
    assert Session.objects.filter(application__client_id="acme-native").count() == 1


def test_a_stranger_logs_in_first(client, device):
    page = enter(client, device["user_code"])["Location"]
    login = client.get(page)["Location"]

    asked = log_in_on(client, login)["Location"]

    assert asked.endswith("/device")
    assert poll(device) == "authorization_pending"
    assert "The device is logged in" in Page(decide(client, asked)).text


def test_nothing_is_let_in_before_anybody_agreed(signed_on, device):
    page = enter(signed_on, device["user_code"])["Location"]
    signed_on.get(page)

    assert poll(device) == "authorization_pending"


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: f" {code} ",
        lambda code: code.replace("-", ""),
        " ".join,
    ],
)
def test_a_code_is_found_however_it_is_typed(signed_on, device, typed):
    response = enter(signed_on, typed(device["user_code"]))

    assert response["Location"].endswith("/device")


@pytest.mark.parametrize("typed", ["", " ", "-", "AAAA-AAAA", "<script>", "\x00", "é", "A" * 500])
def test_a_code_that_no_device_shows_is_refused(signed_on, device, typed):
    shown = enter(signed_on, typed)

    assert UNKNOWN in Page(shown).text
    assert "<script>" not in shown.content.decode()
    assert not AuthorizationRequest.objects.filter(device__isnull=False).exists()


def test_another_pools_code_is_unknown(signed_on, globex):
    make_site(globex.pool, "wxsandbox000000006")
    theirs = post("device_authorization", {"client_id": "globex-native"}, pool="globex").json()

    assert UNKNOWN in Page(enter(signed_on, theirs["user_code"])).text


def test_a_code_that_ran_out_is_unknown(signed_on, device):
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert UNKNOWN in Page(enter(signed_on, device["user_code"])).text


@pytest.mark.parametrize("decision", [AGREE, DECLINE])
def test_a_code_that_was_decided_about_is_unknown(signed_on, device, decision):
    page = enter(signed_on, device["user_code"])["Location"]
    decide(signed_on, page, decision)

    assert UNKNOWN in Page(enter(signed_on, device["user_code"])).text
    assert_gone(decide(signed_on, page))


@pytest.mark.parametrize("change", [{"enabled": False}, {"allows_device_flow": False}])
def test_an_application_that_may_not_any_more_is_unknown(signed_on, device, site, change):
    Application.objects.filter(pk=site.native.pk).update(**change)

    assert UNKNOWN in Page(enter(signed_on, device["user_code"])).text


@pytest.mark.parametrize("decision", [DECLINE, {}, {"decision": "yes"}])
def test_anything_but_agreeing_keeps_the_device_out(signed_on, device, decision):
    page = enter(signed_on, device["user_code"])["Location"]

    shown = decide(signed_on, page, decision)

    assert "The device was kept out" in Page(shown).text
    assert poll(device) == "access_denied"


def test_keeping_it_out_ends_the_login_that_was_made_for_it(client, device):
    page = client.get(enter(client, device["user_code"])["Location"])["Location"]
    asked = log_in_on(client, page)["Location"]

    decide(client, asked, DECLINE)

    assert Session.objects.get().end_reason == "not_entered"


def test_cancelling_the_login_keeps_it_out(client, device):
    page = client.get(enter(client, device["user_code"])["Location"])["Location"]

    assert "The device was kept out" in client.post(f"{page}/cancel").content.decode()
    assert poll(device) == "access_denied"


def test_a_device_is_let_in_once(signed_on, device):
    """Two people who were sent one code: the second can't take the device over."""
    bob = GuardedClient()
    log_in_by_browser(bob, person="bob")
    first = enter(signed_on, device["user_code"])["Location"]
    second = enter(bob, device["user_code"])["Location"]
    decide(signed_on, first)

    assert_gone(decide(bob, second))
    decide(bob, second, DECLINE)

    assert DeviceAuthorization.objects.get().decision == "approved"
    (entered,) = Session.objects.filter(application__client_id="acme-native")
    assert entered.user == Session.objects.earliest("pk").user


def test_the_page_is_open_in_its_own_browser_alone(signed_on, device):
    page = enter(signed_on, device["user_code"])["Location"]
    bob = GuardedClient()
    log_in_by_browser(bob, person="bob")

    assert_gone(bob.get(page))
    assert_gone(decide(bob, page))


def test_the_forms_are_ours_alone(device):
    strict = GuardedClient(enforce_csrf_checks=True)
    log_in_by_browser(strict)

    assert enter(strict, device["user_code"]).status_code == 403
    page = fill_in(strict, ENTRY, user_code=device["user_code"])["Location"]
    assert strict.post(page, AGREE).status_code == 403
    assert poll(device) == "authorization_pending"
    assert "logged in" in Page(fill_in(strict, page, **AGREE)).text


def test_the_device_pages_are_for_devices_alone(signed_on):
    page = open_login(signed_on, prompt="login")

    assert_gone(signed_on.get(f"{page}/device"))
    assert_gone(decide(signed_on, f"{page}/device"))


def test_a_link_fills_in_the_code_and_does_no_more(signed_on, device):
    shown = see(signed_on, f"{ENTRY}?user_code={device['user_code']}")

    assert shown.form.fields["user_code"] == device["user_code"]
    assert poll(device) == "authorization_pending"


@pytest.mark.usefixtures("frozen_clock")
def test_nobody_guesses_for_long(signed_on, device):
    for _time in range(TRIES_OF_AN_ADDRESS):
        assert enter(signed_on, "AAAA-AAAA").status_code == 200

    refused = enter(signed_on, device["user_code"])

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) <= 3600
    assert "Too many tries" in refused.content.decode()
    assert "Wait a while" in refused.content.decode()
    elsewhere = GuardedClient(REMOTE_ADDR="198.51.100.7")
    assert enter(elsewhere, device["user_code"])["Location"].endswith("/device")


def test_the_device_gets_what_it_asked_for_and_no_more(signed_on, device):
    page = enter(signed_on, device["user_code"])["Location"]
    shown = see(signed_on, page).text
    decide(signed_on, page)

    grant = "urn:ietf:params:oauth:grant-type:device_code"
    fields = {"grant_type": grant, "client_id": "acme-native", "device_code": device["device_code"]}
    answer = post("token", fields).json()

    assert "see your nickname and picture" in shown
    assert "see your phone number" not in shown
    assert claims_of(answer["access_token"])["scope"] == "openid profile"


def test_a_device_that_is_in_is_not_said_to_be_kept_out(signed_on, device):
    """Two tabs with one code: whoever comes second hears that it is over."""
    agreeing, declining = (enter(signed_on, device["user_code"])["Location"] for _tab in range(2))
    decide(signed_on, agreeing)

    assert_gone(decide(signed_on, declining, DECLINE))
    assert poll(device) == "tokens"


def test_each_device_has_a_session_of_its_own_whatever_the_browser_does(signed_on, site):
    devices = []
    for _device in range(2):
        asked = post("device_authorization", {"client_id": "acme-native"}).json()
        decide(signed_on, enter(signed_on, asked["user_code"])["Location"])
        devices.append(asked)

    end_browser_session(BrowserSession.objects.get(ended_at=None), now=timezone.now())

    sessions = Session.objects.filter(application=site.native)
    assert [one.ended_at for one in sessions] == [None, None]
    assert [poll(one) for one in devices] == ["tokens", "tokens"]


def test_whoever_agrees_is_who_was_shown(signed_on, device):
    page = enter(signed_on, device["user_code"])["Location"]
    alices = see(signed_on, page).form.fields
    log_in_by_browser(signed_on, person="bob", prompt="login")

    response = signed_on.post(page, alices | AGREE)

    assert Page(response).form.fields["person"] != alices["person"]
    assert poll(device) == "authorization_pending"


def test_a_person_who_is_kept_out_meanwhile_lets_no_device_in(signed_on, device, monkeypatch):
    page = enter(signed_on, device["user_code"])["Location"]
    fields = see(signed_on, page).form.fields
    locked = person.lock_users

    def suspended_first(pool_id, keys):
        User.objects.update(status="suspended")
        return locked(pool_id, keys)

    monkeypatch.setattr(person, "lock_users", suspended_first)

    assert_gone(signed_on.post(page, fields | AGREE))
    assert not Session.objects.filter(application__client_id="acme-native").exists()


def test_right_codes_are_not_counted(signed_on, device, monkeypatch):
    monkeypatch.setattr("accounts.pages.device.TRIES_OF_AN_ADDRESS", 2)

    for _time in range(5):
        assert enter(signed_on, device["user_code"]).status_code == 302

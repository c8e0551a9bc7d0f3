"""The login page, the way to WeChat and back: only in the browser that set out, only once."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    LoginEvent,
    Session,
    WeChatState,
)
from applications.models import Application, LoginMethod
from config.kernel.encryption import token_hash
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.login_steps import (
    AtWeChat,
    assert_gone,
    come_back,
    log_in_on,
    open_login,
    set_out,
    way_to_wechat,
)
from tests.support.pages import Page, see
from tests.support.website import SPA_URI, answered, authorize, make_site

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def page(client):
    return open_login(client)


@pytest.fixture
def other_browser():
    """Somebody else's browser, which has begun a login of its own."""
    browser = GuardedClient()
    open_login(browser)
    return browser


def assert_nobody_is_in():
    assert not Session.objects.exists()
    assert not BrowserSession.objects.exists()
    assert not AuthorizationCode.objects.exists()


def test_the_page_names_the_application_and_its_way_in(client, page):
    shown = see(client, page)

    assert "Log in to Spa" in shown.text
    assert sum("/wechat/" in link for link in shown.links) == 1


def test_the_page_is_gone_on_with_only_where_it_began(page, other_browser):
    assert_gone(GuardedClient().get(page))
    assert_gone(other_browser.get(page))
    assert_gone(other_browser.post(f"{page}/cancel"))
    assert_gone(other_browser.get(f"{page}/consent"))
    assert_gone(other_browser.post(f"{page}/consent", {"decision": "agree"}))


def test_somebody_elses_way_to_wechat_is_closed(client, page, other_browser):
    way = way_to_wechat(client, page)

    assert_gone(other_browser.get(way))
    assert not WeChatState.objects.exists()


@pytest.mark.parametrize("handle", ["x", "a" * 43, "%00", "..", "é", "a" * 5000])
def test_an_address_that_nobody_was_given_leads_nowhere(client, page, handle):
    assert_gone(client.get(f"/login/acme/{handle}"))


def test_another_pools_page_knows_nothing_of_it(client, page, globex):
    assert_gone(client.get(page.replace("/acme/", "/globex/")))
    assert client.get(page.replace("/acme/", "/nowhere/")).status_code == 404


def test_a_request_is_open_for_half_an_hour(client, page):
    with time_machine.travel(timezone.now() + timedelta(minutes=29)):
        assert client.get(page).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert_gone(client.get(page))


def test_an_answered_request_is_gone(client, page):
    log_in_on(client, page)

    assert_gone(client.get(page))


def test_old_requests_are_swept_away(client, page, monkeypatch):
    set_out(client, page)
    monkeypatch.setattr("accounts.oidc.authorization.pending.sweeper.due_at", 0.0)

    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        authorize(GuardedClient())

    assert AuthorizationRequest.objects.count() == 1
    assert not WeChatState.objects.exists()


def test_coming_back_confirmed_leads_to_the_application(client, page):
    response = log_in_on(client, page)

    assert response["Location"].startswith(f"{SPA_URI}?code=")
    assert Session.objects.get().browser_session.user == Session.objects.get().user


def test_a_browser_that_never_set_out_is_sent_nowhere(client, page, other_browser):
    """Login CSRF: the attacker's state, or their whole address, in another's browser."""
    at_wechat = set_out(client, page)

    assert_gone(come_back(GuardedClient(), at_wechat))
    assert_gone(come_back(other_browser, at_wechat))
    assert_nobody_is_in()
    assert "code" in answered(come_back(client, at_wechat))


@pytest.mark.parametrize("state", [None, "x", "0" * 64, "\u00e9", "a" * 4000])
def test_a_state_that_we_never_gave_is_refused(client, page, state):
    at_wechat = set_out(client, page)

    assert_gone(come_back(client, at_wechat, state=state))
    assert_nobody_is_in()


def test_a_state_is_good_once(client, page):
    at_wechat = set_out(client, page)
    first = come_back(client, at_wechat)

    again = come_back(client, at_wechat)

    assert "code" in answered(first)
    assert_gone(again)
    assert AuthorizationCode.objects.count() == 1


def test_a_state_is_used_up_by_a_refusal_as_well(client, page):
    at_wechat = set_out(client, page)
    come_back(client, at_wechat, code="0" * 32)

    assert_gone(come_back(client, at_wechat))
    assert_nobody_is_in()


def test_a_state_is_good_for_a_quarter_of_an_hour(client, page):
    at_wechat = set_out(client, page)

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert_gone(come_back(client, at_wechat))


def test_a_state_is_good_at_its_own_sources_address_alone(client, site, page):
    """Mix-up: a source must not get what another one confirmed (RFC 9700 §4.4)."""
    other = builders.make_source(
        site.pool, identifier="acme-two", type="wechat_website", app_id="wxsandbox000000007"
    )
    builders.offer(site.spa, other, position=1)
    at_wechat = set_out(client, page)

    assert_gone(come_back(client, AtWeChat("/login/acme/callback/acme-two", at_wechat.state)))
    assert_gone(come_back(client, AtWeChat("/login/acme/callback/nowhere", at_wechat.state)))
    assert "code" in answered(come_back(client, at_wechat))


def test_a_state_of_another_pools_is_refused(client, globex, page):
    make_site(globex.pool, "wxsandbox000000006")
    elsewhere = authorize(client, "globex-spa", pool="globex", redirect_uri=SPA_URI, state="theirs")
    theirs = set_out(client, elsewhere["Location"])
    ours = set_out(client, page)

    assert_gone(come_back(client, AtWeChat(ours.callback, theirs.state)))
    assert_gone(come_back(client, AtWeChat(theirs.callback, ours.state)))


def test_a_trip_of_an_answered_request_leads_nowhere(client, page):
    first, second = set_out(client, page), set_out(client, page)
    come_back(client, first)

    assert_gone(come_back(client, second, person="bob"))
    assert Session.objects.count() == 1


def test_a_trip_of_a_cancelled_request_leads_nowhere(client, page):
    at_wechat = set_out(client, page)
    client.post(f"{page}/cancel")

    assert_gone(come_back(client, at_wechat))
    assert_nobody_is_in()


@pytest.mark.parametrize("code", [None, "", " ", "a b", "x" * 300, "\u00e9\u00e9", "<script>"])
def test_whoever_comes_back_without_a_code_may_try_again(client, page, code):
    """WeChat's older apps sent people back without a code when they refused."""
    response = come_back(client, set_out(client, page), code=code)

    assert response["Location"].startswith("/login/acme/")
    assert "You didn't confirm in WeChat" in see(client, response["Location"]).text
    assert_nobody_is_in()
    assert "code" in answered(log_in_on(client, response["Location"]))


def test_the_page_that_tells_of_a_refusal_holds_no_code_and_can_be_loaded_again(client, page):
    at_wechat = set_out(client, page)
    response = come_back(client, at_wechat, code="0" * 32)

    for _time in range(2):
        html = client.get(response["Location"]).content.decode()
        assert "WeChat's answer was too old" in html.replace("&#x27;", "'")
        assert at_wechat.state not in html + response["Location"]
        assert "code=" not in html


def test_a_browser_that_comes_back_gets_the_same_page(client, page):
    returned = come_back(client, set_out(client, page), code=None)

    assert returned["Location"] == f"{page}?error=refused_in_wechat"


def test_a_page_is_found_again_after_its_key_was_followed_by_another(client, page, settings):
    at_wechat = set_out(client, page)
    settings.ENCRYPTION_KEYS = (b"n" * 32, *settings.ENCRYPTION_KEYS)

    returned = come_back(client, at_wechat, code=None)

    assert returned["Location"].startswith(page)


def test_a_page_whose_key_was_removed_is_gone(client, page, settings, site):
    at_wechat = set_out(client, page)
    settings.ENCRYPTION_KEYS = (b"n" * 32,)

    assert_gone(come_back(client, at_wechat, code=None))


def test_the_address_of_a_page_cannot_be_made_from_the_database(client, page):
    row = AuthorizationRequest.objects.get()
    handle = page.rpartition("/")[2]

    guesses = (str(row.pk), row.pk.hex, bytes(row.handle_hash).hex(), token_hash(str(row.pk)).hex())
    assert handle not in guesses
    for guess in guesses:
        assert_gone(client.get(page.replace(handle, guess)))


@pytest.mark.parametrize("error", ["<script>alert(1)</script>", "x" * 9000, "\u202e", "user_gone"])
def test_no_word_of_a_strangers_stands_on_the_page(client, page, error):
    shown = client.get(page, {"error": error})

    assert shown.status_code == 200
    assert "it isn't your fault" in Page(shown).text
    assert error not in Page(shown).text


def test_a_way_in_that_was_switched_off_is_closed(client, site, page):
    way = way_to_wechat(client, page)
    LoginMethod.objects.filter(application=site.spa).update(enabled=False)

    response = client.get(way)

    assert "switched off just now" in Page(response).text
    assert not WeChatState.objects.exists()


def test_another_applications_way_in_is_closed(client, site, page):
    other = LoginMethod.objects.get(application=site.web)

    response = client.get(f"{page}/wechat/{other.pk}")

    assert "switched off just now" in Page(response).text
    assert not WeChatState.objects.exists()


@pytest.mark.parametrize("method", ["x", "00000000-0000-0000-0000-000000000000", "é"])
def test_a_way_in_that_does_not_exist_is_closed(client, page, method):
    assert "switched off just now" in see(client, f"{page}/wechat/{method}").text


def test_an_application_without_a_way_in_says_so(client, site, page):
    IdentitySource.objects.filter(pk=site.source.pk).update(enabled=False)

    shown = see(client, page)

    assert "no way to log in from a browser" in shown.text
    assert not any("/wechat/" in link for link in shown.links)


def test_several_ways_in_are_told_apart(client, site, page):
    other = builders.make_source(
        site.pool,
        identifier="acme-two",
        type="wechat_website",
        app_id="wxsandbox000000007",
        display_name="The other shop",
    )
    builders.offer(site.spa, other, position=1)

    shown = see(client, page)

    assert sum("/wechat/" in link for link in shown.links) == 2
    assert "The other shop" in shown.text


def test_cancelling_leads_back_without_a_login(client, page):
    told = answered(client.post(f"{page}/cancel"))

    assert (told["error"], told["state"]) == ("access_denied", "a state")
    assert told["iss"].endswith("/oidc/acme")
    assert_gone(client.post(f"{page}/cancel"))
    assert not LoginEvent.objects.exists()


def test_two_logins_in_one_browser_do_not_disturb_each_other(client):
    first, second = open_login(client), open_login(client, "acme-native")
    one, two = set_out(client, first), set_out(client, second)

    assert answered(come_back(client, two))["state"] == "a state"
    assert "code" in answered(come_back(client, one))


@pytest.mark.parametrize("path", ["", "/wechat/x"])
def test_pages_that_are_looked_at_take_no_form(client, page, path):
    assert client.post(f"{page}{path}").status_code == 405


@pytest.mark.parametrize("path", ["/cancel", "/wechat/x"])
def test_what_changes_something_is_not_done_by_looking(client, page, path):
    assert client.head(f"{page}{path}").status_code == 405
    assert client.get(f"{page}/cancel").status_code == 405


@pytest.mark.parametrize("change", ["address", "consent", "disabled"])
def test_what_an_application_lost_while_wechat_was_asked_counts(client, site, page, wechat, change):
    at_wechat = set_out(client, page)

    def change_it():
        if change == "address":
            site.spa.redirect_uris.all().delete()
        elif change == "consent":
            Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)
        else:
            Application.objects.filter(pk=site.spa.pk).update(enabled=False)

    wechat.listeners.append(change_it)

    assert_gone(come_back(client, at_wechat))
    assert Session.objects.get().end_reason == "not_entered"
    assert BrowserSession.objects.get().ended_at is not None

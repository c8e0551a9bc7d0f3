"""What an application may know: asked once, refused without harm, never slipped past anybody."""

import pytest
from django.utils import timezone

from accounts.models import AuthorizationCode, Consent, Session, User
from accounts.users.suspension import suspend
from applications.models import Application
from tests.support.client import GuardedClient
from tests.support.login_steps import (
    AGREE,
    DECLINE,
    assert_gone,
    come_back,
    decide,
    log_in_on,
    open_login,
    set_out,
)
from tests.support.oidc import claims_of, exchange
from tests.support.pages import Page, see
from tests.support.website import SPA_URI, answered, authorize, log_in_by_browser

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture(autouse=True)
def asking(site):
    """The application asks its people for consent."""
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)


@pytest.fixture
def page(client):
    """The consent page of Alice, who has just logged in."""
    return log_in_on(client, open_login(client))["Location"]


@pytest.fixture
def signed_on(client):
    """Alice's browser, in which she logged in to another application, which asks nothing."""
    log_in_by_browser(client, "acme-native")
    return client


def test_the_page_says_who_asks_for_what(client, page):
    shown = see(client, page)

    assert page.endswith("/consent")
    assert "Spa asks for your consent" in shown.text
    assert "see your nickname and picture" in shown.text
    assert "see your phone number" not in shown.text


def test_no_code_is_made_before_anybody_agreed(client, page):
    assert not AuthorizationCode.objects.exists()


def test_agreeing_leads_to_the_application(client, page):
    response = decide(client, page)

    assert response["Location"].startswith(f"{SPA_URI}?code=")
    assert "scope" in exchange(answered(response)["code"]).json()
    assert Consent.objects.get().scope == "openid profile offline_access"


def test_nobody_is_asked_twice(client, page):
    decide(client, page)

    assert "code" in answered(authorize(client, prompt="none"))
    assert "code" in answered(log_in_on(client, open_login(client, prompt="login")))


def test_more_than_was_agreed_to_is_asked_for(client, page):
    decide(client, page)

    again = authorize(client, scope="openid profile phone")

    assert again["Location"].endswith("/consent")
    answered(decide(client, again["Location"]))
    assert Consent.objects.get().scope == "openid profile phone offline_access"


def test_an_identifier_alone_is_asked_for_as_well(client):
    page = log_in_on(client, open_login(client, scope="openid"))["Location"]

    assert "recognise you" in see(client, page).text


def test_an_application_may_ask_each_time(client, page):
    decide(client, page)

    again = authorize(client, prompt="consent")

    assert again["Location"].endswith("/consent")
    assert "code" in answered(decide(client, again["Location"]))


@pytest.mark.parametrize("decision", [DECLINE, {}, {"decision": "AGREE"}, {"decision": ""}])
def test_anything_but_agreeing_is_declining(client, page, decision):
    told = answered(decide(client, page, decision))

    assert (told["error"], told["state"]) == ("access_denied", "a state")
    assert Session.objects.get().end_reason == "not_entered"
    assert not Consent.objects.exists()
    assert not AuthorizationCode.objects.exists()


def test_declining_leaves_the_person_signed_on_elsewhere(signed_on):
    page = authorize(signed_on)["Location"]

    answered(decide(signed_on, page, DECLINE))

    assert "code" in answered(authorize(signed_on, "acme-native", prompt="none"))
    assert Session.objects.get().ended_at is None


def test_an_answer_is_given_once(client, page):
    answered(decide(client, page))

    assert_gone(decide(client, page))
    assert_gone(decide(client, page, DECLINE))
    assert_gone(client.get(page))
    assert AuthorizationCode.objects.count() == 1
    assert Session.objects.get().ended_at is None


def test_the_form_is_ours_alone(site):
    """A form of another site's comes with the cookies that Lax lets through, and no token."""
    browser = GuardedClient(enforce_csrf_checks=True)
    page = log_in_on(browser, open_login(browser))["Location"]
    fields = Page(browser.get(page)).form.fields

    without = {name: text for name, text in fields.items() if name != "csrfmiddlewaretoken"}

    refused = browser.post(page, without | AGREE)

    assert refused.status_code == 403
    assert not Consent.objects.exists()
    assert "code" in answered(browser.post(page, fields | AGREE))


def test_the_page_is_open_in_its_own_browser_alone(client, page):
    other = GuardedClient()
    log_in_by_browser(other, "acme-native", "bob")

    assert_gone(other.get(page))
    assert_gone(decide(other, page))


def test_a_stranger_has_to_log_in_first(client):
    page = open_login(client)

    for response in (client.get(f"{page}/consent"), decide(client, f"{page}/consent")):
        assert response["Location"] == page
    assert not AuthorizationCode.objects.exists()


@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}]
)
def test_a_login_that_is_asked_for_can_not_be_passed_by(signed_on, asked):
    page = open_login(signed_on, **asked)

    for response in (signed_on.get(f"{page}/consent"), decide(signed_on, f"{page}/consent")):
        assert response["Location"] == page
    assert not AuthorizationCode.objects.filter(session__application__client_id="acme-spa").exists()


def test_who_logs_in_is_who_is_asked_not_who_was_signed_on(signed_on):
    page = open_login(signed_on, prompt="login")
    consent = log_in_on(signed_on, page, "bob")["Location"]

    code = answered(decide(signed_on, consent))["code"]

    sub = claims_of(exchange(code).json()["id_token"])["sub"]
    assert Consent.objects.get().user.sub == sub
    assert Session.objects.get(application__client_id="acme-native").user.sub != sub


def test_whoever_is_suspended_meanwhile_has_to_log_in_again(client, page):
    suspend(User.objects.get(), now=timezone.now())

    response = decide(client, page)
    shown = client.get(response["Location"])

    assert "Log in to Spa" in Page(shown).text
    assert not AuthorizationCode.objects.exists()


def test_whoever_logs_out_meanwhile_has_to_log_in_again(client, page):
    form = see(client, "/oidc/acme/logout").form_to("/logout")
    client.post(form.action, form.fields)

    again = client.get(page)["Location"]

    assert see(client, again)
    assert "code" in answered(decide(client, log_in_on(client, again)["Location"]))


def test_a_second_login_for_the_same_request_is_who_is_asked(client):
    first = open_login(client)
    one, two = set_out(client, first), set_out(client, first)
    come_back(client, one)
    page = come_back(client, two, "bob")["Location"]

    code = answered(decide(client, page))["code"]

    bob = Session.objects.latest("auth_time").user
    assert claims_of(exchange(code).json()["id_token"])["sub"] == bob.sub


def test_an_application_that_is_switched_off_meanwhile_gets_nothing(client, page, site):
    Application.objects.filter(pk=site.spa.pk).update(enabled=False)

    response = decide(client, page)

    assert (response.status_code, "Location" in response) == (400, False)


def test_whoever_agrees_is_who_was_shown(signed_on):
    """Somebody else logs in in another tab, while the page of the first one is still open."""
    page = authorize(signed_on)["Location"]
    alices = see(signed_on, page).form.fields
    log_in_by_browser(signed_on, "acme-native", "bob", prompt="login")

    response = signed_on.post(page, alices | AGREE)

    assert Page(response).form.fields["person"] != alices["person"]
    assert not Consent.objects.exists()
    assert "code" in answered(decide(signed_on, page))

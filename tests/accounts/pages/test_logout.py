"""Signing off: at once for the application of this very login, by a button for anybody else."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from accounts.models import BrowserSession, LogoutNotice, Session
from applications.models import Application, PostLogoutRedirectURI
from tests.support.client import GuardedClient
from tests.support.oidc import exchange, refresh
from tests.support.pages import Page
from tests.support.website import SPA_URI, authorize, log_in_by_browser, make_site

ENDPOINT = "/oidc/acme/logout"
BYE = "https://spa.example.com/bye?from=login"
LOGIN_COOKIE = "unionpass_login_acme"


@pytest.fixture(autouse=True)
def bye(site):
    PostLogoutRedirectURI.objects.create(application=site.spa, uri=BYE)


@pytest.fixture
def tokens(client):
    """What the application got when Alice logged in; her browser is the client."""
    answer = exchange(log_in_by_browser(client)["code"]).json()
    assert answer["refresh_token"]
    return answer


@pytest.fixture
def hint(tokens):
    return tokens["id_token"]


def log_out(browser, **fields):
    return browser.get(ENDPOINT, fields)


def press(browser, response):
    """Press the button of the page that asks."""
    form = Page(response).form_to("/login/acme/logout")
    return browser.post(form.action, form.fields)


def assert_is_asked(response):
    assert response.status_code == 200
    assert "Log out?" in response.content.decode()
    assert_nobody_is_out(response)


def assert_nobody_is_out(response=None):
    assert not Session.objects.exclude(ended_at=None).exists()
    assert not BrowserSession.objects.exclude(ended_at=None).exists()
    assert response is None or LOGIN_COOKIE not in response.cookies


def assert_stays(response, text):
    assert response.status_code == 400
    assert text in response.content.decode()
    assert "Location" not in response
    assert_nobody_is_out(response)


def assert_everybody_is_out(response):
    assert set(Session.objects.values_list("end_reason", flat=True)) == {"logged_out"}
    assert not BrowserSession.objects.filter(ended_at=None).exists()
    assert response.cookies[LOGIN_COOKIE]["max-age"] == 0
    assert response.cookies[LOGIN_COOKIE].value == ""


def test_the_application_of_this_login_signs_off_at_once(client, tokens, hint):
    authorize(client, "acme-native")

    response = log_out(client, id_token_hint=hint)

    assert "You are logged out" in response.content.decode()
    assert_everybody_is_out(response)
    assert refresh(tokens["refresh_token"], client_id="acme-spa").status_code == 400
    assert authorize(client)["Location"].startswith("/login/")


def test_the_person_goes_where_the_application_registered(client, hint):
    state = "a&b=c#d é"

    response = log_out(client, id_token_hint=hint, post_logout_redirect_uri=BYE, state=state)

    assert response["Location"].startswith(f"{BYE}&state=")
    assert dict(parse_qsl(urlsplit(response["Location"]).query))["state"] == state


def test_without_a_state_there_is_none(client, hint):
    response = log_out(client, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert response["Location"] == BYE


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/bye",
        "https://spa.example.com/bye",
        f"{BYE}&more=1",
        f"{BYE}#",
        BYE.upper(),
        BYE.replace("https", "http"),
        BYE.replace("spa.example.com", "spa.example.com@evil.example"),
        "//evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        SPA_URI,
    ],
)
def test_nobody_is_led_to_what_is_not_registered(client, hint, uri):
    refused = "post_logout_redirect_uri: isn't registered"

    assert_stays(log_out(client, id_token_hint=hint, post_logout_redirect_uri=uri), refused)
    assert_stays(log_out(client, client_id="acme-spa", post_logout_redirect_uri=uri), refused)


@pytest.mark.parametrize("fields", [{}, {"client_id": "acme-native"}, {"client_id": "nobody"}])
def test_a_place_to_go_to_belongs_to_the_application_that_asks(client, hint, fields):
    response = log_out(client, post_logout_redirect_uri=BYE, **fields)

    assert_stays(response, "post_logout_redirect_uri: isn't registered")


def test_another_pools_place_is_nobodys_here(client, hint, globex):
    elsewhere = make_site(globex.pool, "wxsandbox000000006")
    uri = "https://globex.example.com/bye"
    PostLogoutRedirectURI.objects.create(application=elsewhere.spa, uri=uri)

    assert_stays(
        log_out(client, client_id="globex-spa", post_logout_redirect_uri=uri),
        "post_logout_redirect_uri",
    )


def test_a_hint_is_of_the_application_that_is_named(client, hint):
    assert_stays(log_out(client, id_token_hint=hint, client_id="acme-native"), "client_id")


def test_a_link_of_a_strangers_signs_nobody_off(client, hint):
    """Logout CSRF: without an ID token of this login the person is asked."""
    assert_is_asked(log_out(client))
    assert_is_asked(log_out(client, client_id="acme-spa", post_logout_redirect_uri=BYE))


def test_a_form_of_a_strangers_signs_nobody_off(client, hint):
    """It comes without the cookies (SameSite), and must not have them deleted either."""
    cookieless = GuardedClient().post(ENDPOINT)
    with_cookies = client.post(ENDPOINT)

    assert LOGIN_COOKIE not in cookieless.cookies
    assert_is_asked(with_cookies)


def test_the_button_is_ours_alone(client, hint):
    strict = GuardedClient(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert strict.post("/login/acme/logout").status_code == 403
    assert_nobody_is_out()
    assert_everybody_is_out(press(strict, log_out(strict)))


def test_the_button_leads_where_the_application_asked_for(client, hint):
    state = 's"<&'
    asked = log_out(client, client_id="acme-spa", post_logout_redirect_uri=BYE, state=state)

    response = press(client, asked)

    assert_everybody_is_out(response)
    assert response["Location"] == f"{BYE}&{urlencode({'state': state})}"


def test_what_the_button_sends_is_checked_again(client, hint):
    form = Page(log_out(client)).form_to("/login/acme/logout")

    response = client.post(
        form.action,
        form.fields | {"client_id": "acme-spa", "post_logout_redirect_uri": "https://evil.example"},
    )

    assert_stays(response, "post_logout_redirect_uri")


def test_fields_that_mean_nothing_are_not_carried_along(client, hint):
    """One of them might stand in the way of the form's own."""
    asked = log_out(client, csrfmiddlewaretoken="x", evil="1")

    form = Page(asked).form_to("/login/acme/logout")

    assert form.fields.keys() == {"csrfmiddlewaretoken"}
    assert form.fields["csrfmiddlewaretoken"] != "x"


def test_somebody_elses_hint_signs_nobody_off(client, hint):
    bob = GuardedClient()
    log_in_by_browser(bob, person="bob")

    assert_is_asked(log_out(bob, id_token_hint=hint))


def test_another_browsers_hint_of_the_same_person_signs_nobody_off(client, hint):
    other = GuardedClient()
    log_in_by_browser(other)

    assert_is_asked(log_out(other, id_token_hint=hint))


def test_another_applications_login_in_this_browser_is_this_login(client, hint):
    code = dict(parse_qsl(urlsplit(authorize(client, "acme-native")["Location"]).query))["code"]
    other = exchange(code, "acme-native").json()["id_token"]

    assert_everybody_is_out(log_out(client, id_token_hint=other))


def test_a_hint_that_nobody_signed_says_nothing(client, hint, tokens):
    header, claims, _signature = hint.split(".")

    for forged in (f"{header}.{claims}.", f"{header}.{claims}.AAAA", "x", tokens["access_token"]):
        assert_is_asked(log_out(client, id_token_hint=forged))
        assert_stays(
            log_out(client, id_token_hint=forged, post_logout_redirect_uri=BYE),
            "post_logout_redirect_uri",
        )


def test_another_pools_hint_says_nothing(client, hint, globex):
    client.get("/oidc/globex/logout", {"id_token_hint": hint})

    assert_nobody_is_out()


def test_a_browser_that_forgot_the_login_ends_what_the_hint_names(client, hint):
    authorize(client, "acme-native")

    response = log_out(GuardedClient(), id_token_hint=hint)

    assert "You are logged out" in response.content.decode()
    ended = Session.objects.exclude(ended_at=None).get()
    assert (ended.application.client_id, ended.end_reason) == ("acme-spa", "logged_out")
    assert LOGIN_COOKIE not in response.cookies


def test_nobody_can_be_signed_off_who_is_not_signed_on(client):
    response = log_out(client)

    assert "You are logged out" in response.content.decode()


def test_applications_that_asked_for_it_are_told(client, site, hint):
    uri = "https://web.example.com/backchannel"
    Application.objects.filter(pk=site.native.pk).update(backchannel_logout_uri=uri)
    authorize(client, "acme-native")

    log_out(client, id_token_hint=hint)

    assert LogoutNotice.objects.get().session.application.client_id == "acme-native"


def test_what_was_entered_before_a_second_login_ends_too(client, hint):
    log_in_by_browser(client, "acme-native", prompt="login")

    assert_everybody_is_out(press(client, log_out(client)))


def test_a_second_login_is_still_the_hints(client, hint):
    log_in_by_browser(client, "acme-native", prompt="login")

    assert_everybody_is_out(log_out(client, id_token_hint=hint))


def test_the_page_speaks_the_language_that_the_application_asks_for(client, hint):
    shown = log_out(client, ui_locales="zh-CN en")

    assert 'lang="zh-hans"' in shown.content.decode()


@pytest.mark.parametrize("query", ["state=a&state=b", "state=%00", "x=%FF", "client_id=a%0A"])
def test_what_is_no_request_is_refused(client, hint, query):
    assert_stays(client.get(f"{ENDPOINT}?{query}"), "A parameter stands twice")


def test_the_button_is_pressed_not_linked_to(client):
    assert client.get("/login/acme/logout").status_code == 405


def test_a_form_of_the_applications_signs_off_in_the_browser_too(client, hint):
    """It comes without the cookies (SameSite), and again with them, by GET."""
    state = "a&b=c#d é"
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": state, "x": "y"}

    again = GuardedClient().post(ENDPOINT, form)

    assert again.status_code == 303
    address = urlsplit(again["Location"])
    assert address.path == ENDPOINT
    assert dict(parse_qsl(address.query)) == {key: form[key] for key in form if key != "x"}
    response = client.get(again["Location"])
    assert response["Location"].startswith(f"{BYE}&state=")
    assert_everybody_is_out(response)

"""People log in to applications whose clients know nothing but the issuer's address."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.clients import registrations
from tests.browser.clients.client import Connect, Refusal
from tests.browser.clients.listener import Listener
from tests.browser.clients.people import come_back, go_through, log_in
from tests.browser.clients.registrations import Registration
from tests.browser.windows import Windows

# What the endpoints do with a database is tested on both, in tests/accounts/oidc.
pytestmark = pytest.mark.once

EVERY_KIND = {
    "web, client_secret_basic": registrations.WEB_BASIC,
    "web, client_secret_post": registrations.WEB_POST,
    "web, private_key_jwt": registrations.WEB_KEY,
    "spa": registrations.SPA,
    "native": registrations.NATIVE,
}


def assert_is_alice(tokens: dict[str, Any], registration: Registration, alg: str) -> None:
    assert tokens["claims"]["aud"] == registration.client_id
    assert tokens["claims"]["alg"] == alg
    assert tokens["refresh_token"]


@pytest.mark.parametrize("registration", EVERY_KIND.values(), ids=EVERY_KIND.keys())
def test_a_person_logs_in_and_the_client_learns_who_it_is(
    browse: Windows,
    connect: Connect,
    listener: Listener,
    library: str,
    registration: Registration,
) -> None:
    client = connect(library, registration)

    tokens = client.finish(go_through(browse(), client, listener))

    assert_is_alice(tokens, registration, "ES256")
    assert client.userinfo(tokens)["sub"] == tokens["claims"]["sub"]


def test_a_client_that_wants_rs256_verifies_rs256(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.WEB_RS256)

    tokens = client.finish(go_through(browse(), client, listener))

    assert_is_alice(tokens, registrations.WEB_RS256, "RS256")


def test_the_answer_may_come_as_a_form(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.WEB_BASIC)

    arrival = go_through(browse(), client, listener, response_mode="form_post")

    assert arrival.url == listener.callback
    assert_is_alice(client.finish(arrival), registrations.WEB_BASIC, "ES256")


@pytest.mark.parametrize(
    "registration",
    [registrations.WEB_KEY, registrations.SPA],
    ids=lambda registration: registration.client_id,
)
def test_the_request_may_be_pushed(
    browse: Windows,
    connect: Connect,
    listener: Listener,
    library: str,
    registration: Registration,
) -> None:
    client, page = connect(library, registration), browse()
    url = client.begin(listener.callback, pushed=True)

    log_in(page, url)

    assert "redirect_uri" not in url
    assert_is_alice(client.finish(come_back(page, listener)), registration, "ES256")


@pytest.mark.parametrize(
    ("first", "second"), [("authlib", "openid-client"), ("openid-client", "authlib")]
)
def test_who_is_logged_in_to_one_application_enters_the_next_without_a_question(
    browse: Windows, connect: Connect, listener: Listener, first: str, second: str
) -> None:
    page = browse()
    one = connect(first, registrations.WEB_BASIC)
    before = one.finish(go_through(page, one, listener))
    other = connect(second, registrations.SPA)

    page.goto(other.begin(listener.callback))
    after = other.finish(come_back(page, listener))

    assert after["claims"]["sub"] == before["claims"]["sub"]
    assert after["claims"]["auth_time"] == before["claims"]["auth_time"]
    assert after["claims"]["sid"] != before["claims"]["sid"]


def test_nobody_is_asked_where_the_application_says_so(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.SPA)
    page = browse()

    page.goto(client.begin(listener.callback, prompt="none"))

    with pytest.raises(Refusal, match="login_required"):
        client.finish(come_back(page, listener))


def test_a_person_agrees_once_to_what_an_application_wants_to_know(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.PARTNER)
    page = browse()
    log_in(page, client.begin(listener.callback, prompt="consent"))
    expect(page.get_by_text("see your phone number")).to_be_visible()

    page.get_by_role("button", name="Agree", exact=True).click()
    agreed = client.finish(come_back(page, listener))
    page.goto(client.begin(listener.callback))
    again = client.finish(come_back(page, listener))

    assert agreed["claims"]["sub"] == again["claims"]["sub"]


def test_an_application_hears_that_the_person_does_not_agree(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.PARTNER)
    page = browse()
    log_in(page, client.begin(listener.callback, prompt="consent"))

    page.get_by_role("button", name="Don't agree").click()

    with pytest.raises(Refusal, match="access_denied"):
        client.finish(come_back(page, listener))

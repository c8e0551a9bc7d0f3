"""What the browser holds: two random values for each pool, which nobody else gets at."""

import pytest

from tests.support.client import GuardedClient
from tests.support.login_steps import open_login
from tests.support.website import authorize, log_in_by_browser

pytestmark = pytest.mark.usefixtures("site")

BROWSER, LOGIN = "unionpass_browser_acme", "unionpass_login_acme"


@pytest.fixture
def https(settings):
    """What follows from a PUBLIC_URL of https."""
    settings.PUBLIC_URL = "https://login.example.com"
    settings.SESSION_COOKIE_SECURE = True


@pytest.mark.parametrize("name", [BROWSER, LOGIN])
def test_no_script_and_no_foreign_form_gets_at_a_cookie(client, name):
    log_in_by_browser(client)

    cookie = client.cookies[name]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["domain"], cookie["max-age"], cookie["expires"]) == ("", "", "")
    assert len(cookie.value) == 43


@pytest.mark.parametrize("name", [BROWSER, LOGIN])
def test_over_https_a_cookie_is_of_this_host_alone(https, client, name):
    log_in_by_browser(client)

    cookie = client.cookies[f"__Host-{name}"]

    assert name not in client.cookies
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_over_https_a_cookie_that_another_host_planted_counts_for_nothing(https, client):
    log_in_by_browser(client)
    thief = GuardedClient()
    thief.cookies[LOGIN] = client.cookies[f"__Host-{LOGIN}"].value

    assert authorize(thief)["Location"].startswith("/login/")


def test_over_https_the_login_is_forgotten_as_it_was_kept(https, client):
    log_in_by_browser(client)
    asked = client.get("/oidc/acme/logout")

    gone = client.post("/login/acme/logout")

    assert asked.status_code == 200
    cookie = gone.cookies[f"__Host-{LOGIN}"]
    assert (cookie["max-age"], cookie["secure"], cookie["path"]) == (0, True, "/")


def test_a_browser_keeps_its_secret_and_another_has_another(client):
    open_login(client)
    first = client.cookies[BROWSER].value
    open_login(client)
    other = GuardedClient()
    open_login(other)

    assert client.cookies[BROWSER].value == first
    assert other.cookies[BROWSER].value != first


def test_nothing_of_a_cookies_stands_in_an_address_or_a_page(client):
    page = open_login(client)
    html = client.get(page).content.decode()

    assert client.cookies[BROWSER].value not in page + html


def test_people_get_no_session_of_an_operators(client, settings):
    log_in_by_browser(client)

    assert settings.SESSION_COOKIE_NAME not in client.cookies

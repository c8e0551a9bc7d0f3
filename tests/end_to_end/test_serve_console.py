"""The console under ``make serve``: an operator signs in, and all that a page needs is there."""

import re

import pytest
import requests

from tests.support.serving import Server, manage

PASSWORD = "a password for the console"


@pytest.fixture(scope="module")
def browser(server: Server) -> requests.Session:
    """A browser in which the operator of every pool has signed in."""
    environment = server.environment | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    made = ("createsuperuser", "--noinput", "--username", "sue", "--email", "sue@example.com")
    manage(environment, *made)
    session = requests.Session()
    page = session.get(f"{server.url}/console/login/", timeout=20)
    fields = {"username": "sue", "password": PASSWORD, "csrfmiddlewaretoken": _token(page)}
    signed_in = session.post(page.url, data=fields, timeout=20)
    assert signed_in.url == f"{server.url}/console/acme/"
    return session


@pytest.mark.parametrize(
    "path", ["/", "/console/login/", "/console/acme/", "/console/acme/sources/"]
)
def test_what_a_page_loads_is_served_under_the_name_of_its_content(
    server: Server, browser: requests.Session, path: str
) -> None:
    page = browser.get(server.url + path, timeout=20)

    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert page.status_code == 200
    assert files
    for file in files:
        assert re.search(r"\.[0-9a-f]{12}\.", file), file
        assert browser.get(server.url + file, timeout=20).status_code == 200, file


def test_an_operator_experiences_a_login_with_a_code_of_wechats(
    server: Server, browser: requests.Session
) -> None:
    page = browser.get(f"{server.url}/experience/acme-shop", timeout=20)
    fields = {
        "identity_source": "acme-mini",
        "code": "olivia-1",
        "csrfmiddlewaretoken": _token(page),
    }
    answer = browser.post(page.url, data=fields, timeout=20)

    assert answer.status_code == 200
    assert "User created" in answer.text
    assert "olivia-1" not in answer.text


def test_a_page_that_is_not_there_is_answered_in_our_own_words(
    server: Server, browser: requests.Session
) -> None:
    answer = browser.get(f"{server.url}/console/globex/", timeout=20)

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def _token(page: requests.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]

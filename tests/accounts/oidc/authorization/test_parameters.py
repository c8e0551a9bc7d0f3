"""The fields of a request: each once, each text, none without bounds."""

from urllib.parse import urlencode

import pytest

from tests.support.client import GuardedClient
from tests.support.website import authorization_request

pytestmark = pytest.mark.usefixtures("site")

ENDPOINT = "/oidc/acme/authorize"
MALFORMED = "A parameter stands twice, is too long, or holds characters that aren't text."


def ask(query):
    return GuardedClient().get(f"{ENDPOINT}?{query}")


def assert_malformed(response):
    assert response.status_code == 400
    assert MALFORMED in response.content.decode()
    assert "Location" not in response


@pytest.mark.parametrize("name", [*authorization_request(), "prompt", "utm_source"])
def test_a_parameter_that_stands_twice_is_refused(name):
    once = authorization_request() | {name: "same"}

    assert_malformed(ask(urlencode([*once.items(), (name, "same")])))


def test_a_second_redirect_uri_beside_the_registered_one_is_refused():
    query = urlencode(authorization_request())

    assert_malformed(ask(f"{query}&redirect_uri=https://evil.example/"))
    assert_malformed(ask(f"redirect_uri=https://evil.example/&{query}"))


@pytest.mark.parametrize(
    "added",
    [
        "state=%00",
        "x%00=1",
        "state=%FF%FE",
        "state=%ED%A0%80",
        "state=a%0Ab",
        "claims=%0D%0ASet-Cookie:a",
        f"login_hint={'a' * 4097}",
        f"id_token_hint={'a' * 4096}&ui_locales={'a' * 4096}",
        "&".join(f"x{n}=1" for n in range(50)),
    ],
)
def test_what_is_no_text_or_too_much_is_refused(added):
    query = urlencode(authorization_request(state=None))

    assert_malformed(ask(f"{query}&{added}"))


def test_an_empty_parameter_counts_as_absent():
    query = urlencode(authorization_request() | {"prompt": "", "max_age": "", "request": ""})

    assert ask(query)["Location"].startswith("/login/acme/")


def test_a_posted_form_is_read_as_strictly():
    twice = [*authorization_request().items(), ("state", "another")]

    response = GuardedClient().post(
        ENDPOINT, urlencode(twice), content_type="application/x-www-form-urlencoded"
    )

    assert_malformed(response)


def test_a_form_with_more_fields_than_django_reads_is_refused():
    many = "&".join(f"x{n}=1" for n in range(2000))

    response = ask(many)

    assert response.status_code == 400
    assert "Location" not in response

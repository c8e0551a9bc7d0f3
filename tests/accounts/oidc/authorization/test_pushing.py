"""Requests that are pushed beforehand: kept if they may be answered, and good once (RFC 9126)."""

import hashlib
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import PushedRequest
from applications.models import Application
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, exchange, post
from tests.support.website import (
    SPA_URI,
    WEB_URI,
    answered,
    authorization_request,
    confirm_in_wechat,
    make_site,
)

SECRET = builders.CLIENT_SECRET
PREFIX = "urn:ietf:params:oauth:request_uri:"


def push(
    client_id: str = "acme-web", secret: str | None = SECRET, *, pool: str = "acme", **changes
) -> HttpResponse:
    return post("par", authorization_request(client_id, **changes), pool=pool, secret=secret)


def push_by_secret(**changes) -> HttpResponse:
    """Push with the secret in the form, where it could be kept by mistake."""
    return push(secret=None, client_secret=SECRET, **changes)


def open_request(request_uri: str, client_id: str = "acme-web", *, pool: str = "acme", **fields):
    """Open the authorization endpoint with nothing but a pushed request."""
    query = {"client_id": client_id, "request_uri": request_uri} | fields
    return GuardedClient().get(f"/oidc/{pool}/authorize", query)


@pytest.fixture
def request_uri(site) -> str:
    pushed: str = push().json()["request_uri"]
    return pushed


# --- What may not be pushed -------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, "wrong" * 8])
def test_a_confidential_application_proves_itself(site, secret):
    assert_refused(push(secret=secret), "invalid_client", 401)

    assert not PushedRequest.objects.exists()


@pytest.mark.parametrize("client_id", ["nobody", "globex-shop"])
def test_an_unknown_application_pushes_nothing(site, globex, client_id):
    assert_refused(push(client_id, None, redirect_uri=SPA_URI), "invalid_client", 401)


def test_an_application_that_is_switched_off_pushes_nothing(site):
    Application.objects.update(enabled=False)

    assert_refused(push(), "application_disabled", 403)

    assert not PushedRequest.objects.exists()


@pytest.mark.parametrize(
    "uri", [None, "", WEB_URI + "/", WEB_URI.upper(), SPA_URI, "https://evil.example/callback"]
)
def test_a_redirect_uri_that_is_not_registered_is_refused(site, uri):
    response = push(redirect_uri=uri)

    assert_refused(response, "invalid_request")
    assert "redirect_uri" in response.json()["error_description"]
    assert "evil" not in response.content.decode()
    assert not PushedRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": f"{PREFIX}x"}, "invalid_request"),
        ({"request_uri": "https://evil.example/request"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"nonce": "x" * 513}, "invalid_request"),
        ({"state": "a\x00b"}, "invalid_request"),
        ({"state": "a\r\nb"}, "invalid_request"),
        ({"scope": "openid\ufffd"}, "invalid_request"),
    ],
)
def test_what_would_be_refused_later_is_refused_now(site, changes, error):
    assert_refused(push(**changes), error)

    assert not PushedRequest.objects.exists()


def test_an_application_without_the_flow_pushes_nothing(site):
    assert_refused(push("acme-machine", redirect_uri=WEB_URI), "invalid_request")


# --- What is kept -----------------------------------------------------------------------------


def test_a_pushed_request_has_a_name_that_lives_for_a_moment(site):
    response = push()

    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"request_uri": ANY, "expires_in": 90}
    assert response.json()["request_uri"].startswith(PREFIX)
    assert len(response.json()["request_uri"]) == len(PREFIX) + 43


def test_neither_the_name_nor_the_secret_is_stored(site):
    request_uri = push_by_secret().json()["request_uri"]

    handle = request_uri.removeprefix(PREFIX)
    [stored] = PushedRequest.objects.values()
    assert bytes(stored["handle_hash"]) == hashlib.sha256(handle.encode()).digest()
    assert handle not in repr(stored)
    assert SECRET not in repr(stored)


def test_a_public_application_may_push_as_well(site):
    assert push("acme-spa", None).status_code == 201


# --- What may not be opened -------------------------------------------------------------------


def assert_unanswered(response: HttpResponse) -> None:
    """Expect our own page: nobody knows where an answer would belong."""
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("client_id", ["acme-spa", "acme-native", "nobody"])
def test_another_application_opens_nothing(request_uri, client_id):
    assert_unanswered(open_request(request_uri, client_id))

    # Nor does it use it up.
    assert open_request(request_uri).status_code == 303


def test_another_pool_opens_nothing(request_uri, globex):
    make_site(globex.pool, "wxsandbox000000006")

    assert_unanswered(open_request(request_uri, "globex-web", pool="globex"))


@pytest.mark.parametrize("seconds", [90, 91, 3600])
def test_a_request_that_ran_out_opens_nothing(request_uri, seconds):
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
        assert_unanswered(open_request(request_uri))


def test_a_request_opens_once(request_uri):
    assert open_request(request_uri).status_code == 303

    assert_unanswered(open_request(request_uri))


@pytest.mark.usefixtures("threaded_database")
def test_of_many_at_once_exactly_one_opens(site, together, meet):
    request_uri = push().json()["request_uri"]
    meet(QuerySet, "update", 8)

    responses = together(open_request, [request_uri] * 8)

    assert sorted(response.status_code for response in responses) == [303] + [400] * 7


@pytest.mark.parametrize("unknown", [PREFIX, f"{PREFIX}x", f"{PREFIX}{'x' * 43}", f"{PREFIX}密钥"])
def test_an_unknown_request_opens_nothing(site, unknown):
    assert_unanswered(open_request(unknown))


@pytest.mark.parametrize(
    "change",
    [
        lambda: Application.objects.update(enabled=False),
        lambda: Application.objects.get(client_id="acme-web").redirect_uris.all().delete(),
    ],
    ids=["application disabled", "redirect URI gone"],
)
def test_what_changed_since_it_was_pushed_counts(request_uri, change):
    change()

    assert_unanswered(open_request(request_uri))


# --- What it opens ----------------------------------------------------------------------------


def test_what_was_pushed_counts_and_nothing_that_the_browser_adds(request_uri):
    # RFC 9126 §4: whoever holds the browser can't widen the request.
    browser = GuardedClient()
    response = browser.get(
        "/oidc/acme/authorize",
        {
            "client_id": "acme-web",
            "request_uri": request_uri,
            "scope": "openid account",
            "state": "another state",
            "redirect_uri": "https://evil.example/callback",
        },
    )
    answer = answered(confirm_in_wechat(browser, response["Location"]))

    assert answer["state"] == "a state"
    tokens = exchange(answer["code"], "acme-web", secret=SECRET).json()
    assert tokens["scope"] == "openid profile offline_access"


def test_a_hint_that_is_not_the_applications_is_refused_at_once(site):
    response = push(id_token_hint="a.b.c")

    assert_refused(response, "invalid_request")
    assert "id_token_hint" in response.json()["error_description"]
    assert not PushedRequest.objects.exists()


def test_a_request_has_an_end_to_its_length(site):
    response = push(state="s" * 4000, id_token_hint="h" * 4090, ui_locales="en " * 200)

    assert_refused(response, "invalid_request")
    assert "too long" in response.json()["error_description"]
    assert not PushedRequest.objects.exists()


def test_old_requests_are_swept_away(site, request_uri, monkeypatch):
    monkeypatch.setattr("accounts.oidc.authorization.pushing.sweeper.due_at", 0.0)

    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        push()

    assert PushedRequest.objects.count() == 1

"""The endpoints that applications call: what is no request of theirs is refused alike by each."""

import json
import logging

import pytest
from django.http import HttpResponse

from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import FORM, assert_refused, basic, encoded, exchange, post
from tests.support.website import VERIFIER, authorization_code, authorization_request

SECRET = builders.CLIENT_SECRET
BY_ASSERTION = (
    "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion="
)
# An assertion whose subject is half of a surrogate pair: JSON can say so, UTF-8 can't.
UNWRITABLE = ".".join(encoded(part) for part in ({"alg": "ES256"}, {"sub": "\ud800"}, b"x"))
ENDPOINTS = pytest.mark.parametrize(
    "endpoint", ["token", "par", "introspect", "revoke", "device_authorization"]
)


def send(endpoint: str, body: str | bytes, *, content_type: str = FORM, **headers) -> HttpResponse:
    return GuardedClient().post(
        f"/oidc/acme/{endpoint}", body, content_type=content_type, headers=headers
    )


@ENDPOINTS
@pytest.mark.parametrize(
    ("body", "description"),
    [
        ("client_id=acme-web&client_id=acme-web", "A field stands twice; each may stand once."),
        ("token=x&token=", "A field stands twice; each may stand once."),
        ("client_id=acme-web&a=%00", "A field is too long or holds a NUL character."),
        ("client_id=acme-web&%00=a", "A field is too long or holds a NUL character."),
        ("client_id=a%00", "A field is too long or holds a NUL character."),
        ("client_id=acme-web&a=" + "x" * 4097, "A field is too long or holds a NUL character."),
        (
            "client_id=acme-web&a=%ff",
            "The body is not a form in UTF-8, or has too much.",
        ),
        (b"client_id=acme-web&a=\xff", "The body is not a form in UTF-8, or has too much."),
        (
            "&".join(f"f{n}=1" for n in range(51)),
            "The body is not a form in UTF-8, or has too much.",
        ),
        ("", "client_id: is required."),
        ("client_id=", "client_id: is required."),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_malformed_form_is_refused(site, endpoint, body, description):
    response = send(endpoint, body)

    assert_refused(response, "invalid_request")
    assert response.json()["error_description"] == description
    assert "WWW-Authenticate" not in response


@ENDPOINTS
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_what_is_no_form_is_refused(site, endpoint, content_type):
    body = json.dumps({"client_id": "acme-spa", "token": "x"})

    assert_refused(send(endpoint, body, content_type=content_type), "invalid_request", 415)


@ENDPOINTS
@pytest.mark.parametrize("size", [65_536, 5_000_000])
def test_a_form_that_is_too_large_is_refused(site, endpoint, size):
    assert_refused(send(endpoint, "a=" + "x" * size), "invalid_request", 413)


@ENDPOINTS
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_a_post_is_answered(site, endpoint, method):
    response = GuardedClient().generic(method, f"/oidc/acme/{endpoint}?client_id=acme-spa")

    assert_refused(response, "invalid_request", 405)
    assert response["Allow"] == "POST, OPTIONS"


@ENDPOINTS
def test_fields_in_the_address_are_not_read(site, endpoint):
    query = f"client_id=acme-web&client_secret={SECRET}&grant_type=client_credentials&token=x"

    response = send(f"{endpoint}?{query}", "")

    assert_refused(response, "invalid_request")
    assert response.json()["error_description"] == "client_id: is required."


@ENDPOINTS
def test_an_unknown_pool_is_not_there(site, endpoint):
    response = GuardedClient().post(
        f"/oidc/unknown/{endpoint}", "client_id=acme-spa", content_type=FORM
    )

    assert_refused(response, "invalid_request", 404)


@ENDPOINTS
@pytest.mark.parametrize(
    ("body", "by_basic"),
    [
        (f"client_id=acme-web&client_secret={SECRET}", True),
        (f"client_secret={SECRET}", True),
        (f"{BY_ASSERTION}a.b.c", True),
        (f"client_id=acme-web&client_secret={SECRET}&{BY_ASSERTION}a.b.c", False),
        ("client_id=acme-spa", True),
    ],
    ids=["secret twice", "secret twice, named once", "Basic and key", "form and key", "two names"],
)
def test_an_application_proves_itself_in_one_way(site, endpoint, body, by_basic):
    # RFC 6749 §2.3
    headers = basic("acme-web", SECRET) if by_basic else {}

    assert_refused(send(endpoint, body, **headers), "invalid_request")


@ENDPOINTS
@pytest.mark.parametrize(
    "authorization",
    [
        "Basic !",
        "Basic \xe9",
        "Basic eA==",
        "Basic /w==",
        "Basic AAA6eA==",
        "basic eDp5",
        "BASIC eDp5",
    ],
)
def test_who_tries_basic_in_vain_is_challenged(site, endpoint, authorization):
    body = "grant_type=client_credentials&token=x"

    response = send(endpoint, body, Authorization=authorization)

    assert_refused(response, "invalid_client", 401)
    assert response["WWW-Authenticate"] == 'Basic realm="unionpass"'


@ENDPOINTS
@pytest.mark.parametrize(
    "body",
    [
        "client_id=nobody",
        "client_id=acme-web&client_secret=wrong",
        f"{BY_ASSERTION}a.b.c",
        f"client_id=acme-web&{BY_ASSERTION}a.b.c",
        f"{BY_ASSERTION}{UNWRITABLE}",
        f"client_id=acme-web&{BY_ASSERTION}{UNWRITABLE}",
    ],
    ids=[
        "unknown",
        "wrong secret",
        "broken assertion",
        "broken assertion, and named",
        "half a character",
        "half a character, and named",
    ],
)
def test_who_tries_anything_else_is_not_challenged(site, endpoint, body):
    # A browser would ask its person for a password.
    response = send(endpoint, f"{body}&grant_type=client_credentials&token=x")

    assert_refused(response, "invalid_client", 401)
    assert "WWW-Authenticate" not in response
    assert "nobody" not in response.content.decode()


@pytest.mark.usefixtures("frozen_clock")
@ENDPOINTS
def test_too_many_refused_attempts_have_to_wait(site, settings, endpoint):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/hour"
    for _attempt in range(2):
        response = send(endpoint, "client_id=nobody&grant_type=client_credentials&token=x")
        assert response.status_code == 401

    response = send(endpoint, "client_id=acme-spa&token=x")

    assert_refused(response, "too_many_requests", 429)
    assert 0 < int(response["Retry-After"]) <= 3600


def test_nothing_that_opens_anything_is_logged(site, caplog):
    caplog.set_level(logging.DEBUG)
    code = authorization_code("acme-web")
    refused = exchange(code, "acme-web", secret=SECRET, code_verifier="x" * 43)
    answer = exchange(code, "acme-web", secret=SECRET).json()
    spent = {"grant_type": "refresh_token", "client_id": "acme-web"}
    for _again in range(2):
        post("token", spent | {"refresh_token": answer["refresh_token"]}, secret=SECRET)
    device = post("device_authorization", {"client_id": "acme-native"}).json()
    pushed = post("par", authorization_request("acme-web"), secret=SECRET).json()
    for path in ("introspect", "revoke"):
        post(path, {"client_id": "acme-web", "token": answer["access_token"]}, secret=SECRET)

    assert refused.status_code == 400
    opens = [answer[name] for name in ("access_token", "refresh_token", "id_token")]
    opens += [device["device_code"], device["user_code"], pushed["request_uri"]]
    opens += [code, VERIFIER, SECRET, basic("acme-web", SECRET)["Authorization"]]
    assert caplog.records
    assert not [secret for secret in opens if secret in caplog.text]

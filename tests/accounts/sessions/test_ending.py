"""Logging out: the refresh token's family is revoked, and its session ends for every token."""

import base64
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.utils import timezone

from accounts.models import RefreshToken, Session, User
from applications.models import Application, ClientSecret
from tests.support import builders

LOGOUT = "/api/v1/logout"


@pytest.fixture
def tokens(acme, log_in):
    return log_in("alice").json()


@pytest.fixture
def log_out(client):
    def post(token, headers=None, **fields):
        body = {"refresh_token": token} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return client.post(LOGOUT, body, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def confidential(acme, tokens):
    """Acme's application, made confidential after Alice's login."""
    ClientSecret.for_application(acme.application, builders.CLIENT_SECRET).save()
    Application.objects.filter(pk=acme.application.pk).update(client_authentication="client_secret")


def still_logged_in() -> bool:
    return Session.objects.get().ended_at is None and not RefreshToken.objects.exclude(
        revoked_at=None
    )


def basic(client_id: str, secret: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


@pytest.mark.parametrize("token", ["x", "x" * 512, "密钥"])
def test_an_unknown_token_is_as_good_as_revoked(tokens, log_out, token):
    # RFC 7009 §2.2: nobody learns which tokens there are.
    assert log_out(token).status_code == 204
    assert still_logged_in()


def test_an_access_token_ends_nothing(tokens, log_out):
    assert log_out(tokens["access_token"][:512]).status_code == 204
    assert still_logged_in()


def test_an_application_that_the_token_isnt_of_ends_nothing(acme, globex, tokens, log_out):
    builders.make_application(acme.pool, client_id="acme-other")

    for client_id in ("acme-other", "globex-shop", "nobody"):
        assert log_out(tokens["refresh_token"], client_id=client_id).status_code == 204

    assert still_logged_in()


@pytest.mark.parametrize("named", [{}, {"client_id": "acme-shop"}])
@pytest.mark.parametrize("secret", [None, "wrong" * 8])
def test_a_confidential_application_needs_its_secret(tokens, confidential, log_out, named, secret):
    fields = named | ({"client_secret": secret} if named else {})

    response = log_out(tokens["refresh_token"], **fields)

    assert response.status_code == 401
    assert response.json() == {
        "error": "invalid_client",
        "error_description": ANY,
        "request_id": ANY,
    }
    assert still_logged_in()


def test_a_wrong_secret_by_basic_is_refused(tokens, confidential, log_out):
    response = log_out(tokens["refresh_token"], headers=basic("acme-shop", "wrong" * 8))

    assert response.status_code == 401
    assert still_logged_in()


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({}, "refresh_token: is required."),
        ({"refresh_token": ""}, "refresh_token: must not be empty."),
        ({"refresh_token": 5}, "refresh_token: must be a string."),
        ({"refresh_token": None}, "refresh_token: must not be null."),
        ({"refresh_token": "x" * 513}, "refresh_token: must be at most 512 characters long."),
        ({"refresh_token": "x", "token": "y"}, "token: is not known here."),
    ],
)
def test_a_malformed_request_names_its_field(acme, client, body, description):
    response = client.post(LOGOUT, body, content_type="application/json")

    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_request",
        "error_description": description,
        "request_id": ANY,
    }


def test_logging_out_ends_session_and_family(acme, tokens, log_out, client):
    response = log_out(tokens["refresh_token"])

    assert (response.status_code, response.content) == (204, b"")
    assert response["Cache-Control"] == "no-store"
    session = Session.objects.get()
    assert session.ended_at is not None
    assert session.end_reason == "logged_out"
    assert not RefreshToken.objects.filter(revoked_at=None).exists()
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.status_code == 401


def test_a_refreshed_family_ends_by_any_of_its_tokens(acme, tokens, log_out, client):
    form = f"grant_type=refresh_token&client_id=acme-shop&refresh_token={tokens['refresh_token']}"
    content_type = "application/x-www-form-urlencoded"
    client.post("/oidc/acme/token", form, content_type=content_type)

    assert log_out(tokens["refresh_token"]).status_code == 204

    assert RefreshToken.objects.filter(revoked_at=None).count() == 0
    assert Session.objects.get().end_reason == "logged_out"


def test_logging_out_ends_no_other_session(acme, tokens, log_in, log_out):
    other = log_in("alice").json()

    log_out(tokens["refresh_token"])

    assert Session.objects.filter(ended_at=None).count() == 1
    assert log_out(other["refresh_token"]).status_code == 204
    assert not Session.objects.filter(ended_at=None).exists()


def test_logging_out_twice_changes_nothing(acme, tokens, log_out):
    log_out(tokens["refresh_token"])
    before = (Session.objects.values().get(), RefreshToken.objects.values().get())

    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        assert log_out(tokens["refresh_token"]).status_code == 204

    assert (Session.objects.values().get(), RefreshToken.objects.values().get()) == before


@pytest.mark.parametrize("fields", [{}, {"client_id": "acme-shop"}])
def test_a_public_application_needs_the_token_alone(acme, tokens, log_out, fields):
    assert log_out(tokens["refresh_token"], **fields).status_code == 204
    assert not still_logged_in()


def test_a_confidential_application_logs_out_with_its_secret(tokens, confidential, log_out):
    response = log_out(
        tokens["refresh_token"], client_id="acme-shop", client_secret=builders.CLIENT_SECRET
    )

    assert response.status_code == 204
    assert not still_logged_in()


def test_a_confidential_application_logs_out_by_basic(tokens, confidential, log_out):
    headers = basic("acme-shop", builders.CLIENT_SECRET.replace(" ", "+"))

    assert log_out(tokens["refresh_token"], headers=headers).status_code == 204
    assert not still_logged_in()


def test_an_access_token_in_the_header_is_not_in_the_way(acme, tokens, log_out):
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert log_out(tokens["refresh_token"], headers=headers).status_code == 204
    assert not still_logged_in()


def test_whoever_is_suspended_can_still_log_out(acme, tokens, log_out):
    User.objects.update(status="suspended")
    Application.objects.update(enabled=False)

    assert log_out(tokens["refresh_token"]).status_code == 204
    assert not still_logged_in()

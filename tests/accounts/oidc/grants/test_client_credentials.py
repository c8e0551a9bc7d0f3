"""A machine's own token: who gets one, and that it opens nothing of a person's."""

from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import LoginEvent, RefreshToken, RevokedAccessToken, Session
from applications.models import Application
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, bearer, claims_of, header_of, post, refresh, userinfo
from tests.support.website import make_site

SECRET = builders.CLIENT_SECRET
ISSUER = "http://127.0.0.1:8000/oidc/acme"


def ask(client_id: str = "acme-machine", secret: str | None = SECRET, **fields) -> HttpResponse:
    usual = {"grant_type": "client_credentials", "client_id": client_id}
    return post("token", usual | fields, secret=secret)


@pytest.fixture
def token(site) -> str:
    access_token: str = ask().json()["access_token"]
    return access_token


def introspect(token: str, *, pool: str = "acme") -> dict[str, object]:
    fields = {"client_id": f"{pool}-web", "token": token}
    answer: dict[str, object] = post("introspect", fields, pool=pool, secret=SECRET).json()
    return answer


# --- Who may not ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client_id", "secret"), [("acme-web", SECRET), ("acme-spa", None), ("acme-native", None)]
)
def test_only_a_machine_has_this_grant(site, client_id, secret):
    assert_refused(ask(client_id, secret), "unauthorized_client")


@pytest.mark.parametrize("secret", [None, "wrong" * 8])
def test_a_machine_proves_itself(site, secret):
    assert_refused(ask(secret=secret), "invalid_client", 401)


def test_a_machine_that_is_switched_off_gets_none(site):
    Application.objects.update(enabled=False)

    assert_refused(ask(), "application_disabled", 403)


@pytest.mark.parametrize("scope", ["openid", "profile", "admin", "offline_access"])
def test_a_machine_has_no_scope(site, scope):
    assert_refused(ask(scope=scope), "invalid_scope")


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "refresh_token", "refresh_token": "x"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    ],
    ids=lambda fields: fields["grant_type"],
)
def test_a_machine_has_no_other_grant(site, fields):
    assert_refused(ask(**fields), "unauthorized_client")


# --- What it opens ----------------------------------------------------------------------------


def test_a_machines_token_says_exactly_this(site):
    began = timezone.now().replace(microsecond=0)
    with time_machine.travel(began, tick=False):
        response = ask()

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert answer == {"access_token": ANY, "token_type": "Bearer", "expires_in": 3600}
    assert header_of(answer["access_token"])["typ"] == "at+jwt"
    assert claims_of(answer["access_token"]) == {
        "iss": ISSUER,
        "sub": "acme-machine",
        "aud": ["acme-machine", ISSUER],
        "client_id": "acme-machine",
        "jti": ANY,
        "iat": int(began.timestamp()),
        "exp": int(began.timestamp()) + 3600,
    }


def test_a_machines_token_is_nobodys_session(token):
    assert not Session.objects.exists()
    assert not RefreshToken.objects.exists()
    assert not LoginEvent.objects.exists()


@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/v1/me/linked-accounts", "/oidc/acme/userinfo"]
)
def test_a_machines_token_opens_nothing_of_a_persons(token, path):
    response = GuardedClient().get(path, headers=bearer(token))

    assert_refused(response, "invalid_token", 401)


def test_a_machines_token_is_no_refresh_token(token):
    assert_refused(refresh(token, client_id="acme-spa"))


# --- How long ---------------------------------------------------------------------------------


def test_a_machines_token_is_active_for_an_hour(token):
    assert introspect(token) == {"active": True, "token_type": "Bearer", **claims_of(token)}

    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert introspect(token) == {"active": False}


def test_a_machine_that_is_switched_off_has_none_that_is_active(site, token):
    Application.objects.filter(pk=site.machine.pk).update(enabled=False)

    assert introspect(token) == {"active": False}


def test_a_revoked_token_is_not_active_any_more(token):
    other = ask().json()["access_token"]
    fields = {"client_id": "acme-machine", "token": token}

    for _again in range(2):
        assert post("revoke", fields, secret=SECRET).status_code == 200

    assert introspect(token) == {"active": False}
    assert introspect(other)["active"] is True
    revoked = RevokedAccessToken.objects.get()
    assert str(revoked.jti) == claims_of(token)["jti"]
    assert int(revoked.expires_at.timestamp()) == claims_of(token)["exp"]


def test_another_application_revokes_nothing(token):
    response = post("revoke", {"client_id": "acme-web", "token": token}, secret=SECRET)

    assert_refused(response)
    assert introspect(token)["active"] is True


def test_another_pool_knows_nothing_of_it(token, globex):
    make_site(globex.pool, "wxsandbox000000006")

    assert introspect(token, pool="globex") == {"active": False}
    fields = {"client_id": "globex-machine", "token": token}
    assert post("revoke", fields, pool="globex", secret=SECRET).status_code == 200
    assert introspect(token)["active"] is True
    assert userinfo(token, pool="globex").status_code == 401

"""Alice, logged in at Acme, and how a program uses the OpenID Connect endpoints."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse

from accounts.models import Session
from tests.conftest import GuardedClient, Tenant

FORM = "application/x-www-form-urlencoded"

Answer = dict[str, Any]


@pytest.fixture
def tokens(acme: Tenant, log_in: Callable[..., HttpResponse]) -> Answer:
    """What Alice's login answered."""
    response = log_in("alice")
    assert response.status_code == 200
    answer: Answer = response.json()
    return answer


@pytest.fixture
def session(tokens: Answer) -> Session:
    return Session.objects.select_related("user", "application", "pool").get(
        pk=claims_of(tokens["access_token"])["sid"]
    )


def refresh(
    token: str | None,
    *,
    pool: str = "acme",
    headers: dict[str, str] | None = None,
    **fields: str | None,
) -> HttpResponse:
    """Post to a pool's token endpoint; a field that is None is left out."""
    form = {
        "grant_type": "refresh_token",
        "client_id": "acme-shop",
        "refresh_token": token,
    } | fields
    body = urlencode({name: value for name, value in form.items() if value is not None})
    return GuardedClient().post(f"/oidc/{pool}/token", body, content_type=FORM, headers=headers)


def userinfo(token: str, *, pool: str = "acme") -> HttpResponse:
    """Ask a pool's userinfo endpoint."""
    return GuardedClient().get(f"/oidc/{pool}/userinfo", headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def header_of(token: str) -> dict[str, Any]:
    return _json(token.partition(".")[0])


def claims_of(token: str) -> dict[str, Any]:
    return _json(token.split(".")[1])


def encoded(value: object) -> str:
    """Encode a JSON value, or bytes, as a part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _json(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=="))
    return decoded

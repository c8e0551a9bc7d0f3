"""A program's requests to the OpenID Connect endpoints, and the contents of its tokens."""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.http import HttpResponse

from tests.support.client import GuardedClient
from tests.support.website import REDIRECT_URIS, VERIFIER

FORM = "application/x-www-form-urlencoded"


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


def post(
    path: str,
    fields: dict[str, str | None] | None = None,
    *,
    pool: str = "acme",
    secret: str | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Post a form to an endpoint of a pool's issuer; ``secret`` goes by Basic, None is left out."""
    form = {name: value for name, value in (fields or {}).items() if value is not None}
    headers = headers or {}
    if secret is not None:
        headers = headers | basic(form.pop("client_id"), secret)
    body = urlencode(form)
    return GuardedClient().post(f"/oidc/{pool}/{path}", body, content_type=FORM, headers=headers)


def exchange(code: str | None, client_id: str = "acme-spa", **changes: Any) -> HttpResponse:
    """Exchange an authorization code; ``pool``, ``secret`` and ``headers`` as for `post`."""
    usual = {name: changes.pop(name) for name in ("pool", "secret", "headers") if name in changes}
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": REDIRECT_URIS.get(client_id),
        "code_verifier": VERIFIER,
    } | changes
    return post("token", form, **usual)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic, each part form-encoded first (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def assert_refused(response: HttpResponse, error: str = "invalid_grant", status: int = 400) -> None:
    """Assert that an endpoint refuses, and that its answer isn't cached."""
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response["Cache-Control"] == "no-store"


def userinfo(token: str, *, pool: str = "acme") -> HttpResponse:
    """Call a pool's userinfo endpoint."""
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

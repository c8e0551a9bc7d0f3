"""The tokens of a login, read by a library that didn't make them, from what is published alone."""

import base64
import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlsplit

import jwt
import pytest
import time_machine
from django.utils import timezone

from accounts.models import RefreshToken, Session, User
from tests.support import builders
from tests.support.oidc import claims_of, header_of

pytestmark = pytest.mark.rsa

ISSUER = "http://127.0.0.1:8000/oidc/acme"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
NOW_SECONDS = int(NOW.timestamp())
ALGORITHMS = pytest.mark.parametrize("algorithm", ["ES256", "RS256"])


def verified(client, token: str, audience: str) -> dict[str, Any]:
    """Verify a token as a stranger would: discovery, then the JWK set, then PyJWT."""
    metadata = client.get(urlsplit(f"{ISSUER}/.well-known/openid-configuration").path).json()
    published = client.get(urlsplit(metadata["jwks_uri"]).path).json()
    key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(
        token,
        key,
        algorithms=metadata["id_token_signing_alg_values_supported"],
        issuer=metadata["issuer"],
        audience=audience,
        options={"require": ["exp", "iat", "iss", "aud", "sub"]},
    )


def set_algorithm(acme, algorithm: str) -> None:
    acme.application.signing_algorithm = algorithm
    acme.application.save()


@ALGORITHMS
def test_a_changed_token_is_not_verified(acme, client, log_in, algorithm):
    set_algorithm(acme, algorithm)
    header, payload, signature = log_in().json()["id_token"].split(".")
    other = "A" if signature[0] != "A" else "B"

    with pytest.raises(jwt.InvalidSignatureError):
        verified(client, f"{header}.{payload}.{other}{signature[1:]}", "acme-shop")


@ALGORITHMS
def test_an_access_token_says_exactly_this(acme, client, log_in, algorithm):
    set_algorithm(acme, algorithm)
    with time_machine.travel(NOW, tick=False):
        answer = log_in().json()
        claims = verified(client, answer["access_token"], ISSUER)

    [kid] = [key["kid"] for key in _published(client) if key["alg"] == algorithm]
    assert header_of(answer["access_token"]) == {"alg": algorithm, "kid": kid, "typ": "at+jwt"}
    assert claims == {
        "iss": ISSUER,
        "sub": answer["user"]["sub"],
        "aud": ["acme-shop", ISSUER],
        "client_id": "acme-shop",
        "scope": "openid profile phone account offline_access",
        "sid": str(Session.objects.get().pk),
        "auth_time": NOW_SECONDS,
        "iat": NOW_SECONDS,
        "exp": NOW_SECONDS + 3600,
        "jti": ANY,
    }
    assert uuid.UUID(claims["jti"]).version == 7


@ALGORITHMS
def test_an_id_token_says_exactly_this(acme, client, log_in, algorithm):
    set_algorithm(acme, algorithm)
    with time_machine.travel(NOW, tick=False):
        answer = log_in().json()
        claims = verified(client, answer["id_token"], "acme-shop")

    [kid] = [key["kid"] for key in _published(client) if key["alg"] == algorithm]
    assert header_of(answer["id_token"]) == {"alg": algorithm, "kid": kid, "typ": "JWT"}
    assert claims == {
        "iss": ISSUER,
        "sub": answer["user"]["sub"],
        "aud": "acme-shop",
        "sid": str(Session.objects.get().pk),
        "auth_time": NOW_SECONDS,
        "iat": NOW_SECONDS,
        "exp": NOW_SECONDS + 3600,
        "at_hash": _at_hash(answer["access_token"]),
        "updated_at": NOW_SECONDS,
    }


def test_an_id_token_names_what_is_known_of_the_person(acme, client, log_in):
    log_in()
    User.objects.update(
        nickname="爱丽",
        avatar_url="https://login.example.com/a.png",
        phone_number="+8613800138001",
        phone_number_verified_at=timezone.now(),
    )

    claims = verified(client, log_in().json()["id_token"], "acme-shop")

    known = ("nickname", "picture", "phone_number", "phone_number_verified")
    assert {name: claims[name] for name in known} == {
        "nickname": "爱丽",
        "picture": "https://login.example.com/a.png",
        "phone_number": "+8613800138001",
        "phone_number_verified": True,
    }


@pytest.mark.parametrize(
    ("scope", "absent"),
    [
        ("profile offline_access", {"id_token"}),
        ("openid profile", {"refresh_token"}),
        ("account", {"id_token", "refresh_token"}),
    ],
)
def test_scopes_decide_which_tokens_there_are(acme, log_in, scope, absent):
    answer = log_in(scope=scope).json()

    assert {"id_token", "refresh_token"} - answer.keys() == absent
    assert answer["scope"] == claims_of(answer["access_token"])["scope"] == scope
    assert RefreshToken.objects.exists() is ("refresh_token" in answer)


@pytest.mark.parametrize(
    ("scope", "opened"),
    [("openid", set()), ("openid profile", {"nickname", "picture", "updated_at"}),
     ("openid phone", {"phone_number", "phone_number_verified"})],
)  # fmt: skip
def test_scopes_decide_what_an_id_token_says(acme, log_in, scope, opened):
    log_in()
    User.objects.update(
        nickname="爱丽", avatar_url="https://login.example.com/a.png", phone_number="+8613800138001"
    )

    claims = claims_of(log_in(scope=scope).json()["id_token"])

    always = {"iss", "sub", "aud", "sid", "auth_time", "iat", "exp", "at_hash"}
    assert claims.keys() == always | opened


def test_nothing_of_wechats_stands_in_a_token(acme, log_in):
    answer = log_in().json()

    for name in ("access_token", "id_token"):
        said = f"{header_of(answer[name])} {claims_of(answer[name])}"
        assert "oSANDBOX_" not in said
        assert builders.MINI_APP_ID not in said


def test_a_refresh_token_is_random_and_stored_as_its_hash_alone(acme, log_in):
    answers = [log_in().json() for _ in range(2)]

    sent = [answer["refresh_token"] for answer in answers]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in sent)
    assert sent[0] != sent[1]
    stored = list(RefreshToken.objects.order_by("pk").values())
    assert [bytes(row["token_hash"]) for row in stored] == [
        hashlib.sha256(token.encode()).digest() for token in sent
    ]
    assert not [token for token in sent if token in repr(stored)]


def test_a_login_begins_a_session_and_a_family_of_its_own(acme, log_in):
    with time_machine.travel(NOW, tick=False):
        log_in()
        log_in()

    rows = RefreshToken.objects.order_by("pk")
    assert len({row.family for row in rows}) == len({row.session_id for row in rows}) == 2
    assert all(
        (row.created_at, row.expires_at, row.family_expires_at, row.used_at, row.revoked_at)
        == (NOW, NOW + timedelta(days=30), NOW + timedelta(days=180), None, None)
        for row in rows
    )


def test_an_application_decides_how_long_its_tokens_last(acme, log_in):
    acme.application.access_token_lifetime = timedelta(minutes=5)
    acme.application.refresh_token_idle_lifetime = timedelta(days=9)
    acme.application.refresh_token_absolute_lifetime = timedelta(days=2)
    acme.application.save()

    with time_machine.travel(NOW, tick=False):
        answer = log_in().json()

    assert answer["expires_in"] == 300
    assert claims_of(answer["access_token"])["exp"] == NOW_SECONDS + 300
    assert RefreshToken.objects.get().expires_at == NOW + timedelta(days=2)


def _published(client) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = client.get("/oidc/acme/jwks.json").json()["keys"]
    return keys


def _at_hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

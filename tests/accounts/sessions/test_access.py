"""Access tokens at the doors: forged, foreign, expired or orphaned ones open nothing."""

import hashlib
import hmac
import json
import math
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from accounts.models import Session, User
from accounts.refusals import InvalidToken
from accounts.sessions.access import InsufficientScope, verify_access_token
from applications.models import Application
from config.kernel.memory import forget_configuration
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import bearer, claims_of, encoded, header_of, userinfo
from tests.support.tenants import Tenant
from userpools.keys import generate_private_key, pool_keys

pytestmark = pytest.mark.rsa

ME = "/api/v1/me"

Sign = Callable[..., str]


def assert_refused(token: str) -> None:
    """Expect every door to refuse the token, and to tell nothing about why."""
    for response in (GuardedClient().get(ME, headers=bearer(token)), userinfo(token)):
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert response["Cache-Control"] == "no-store"
        assert response.json() == {
            "error": "invalid_token",
            "error_description": (
                "The access token is missing, expired, revoked or not of this server."
            ),
            "request_id": response["X-Request-ID"],
        }


def assert_accepted(token: str) -> None:
    assert GuardedClient().get(ME, headers=bearer(token)).status_code == 200
    assert userinfo(token).status_code == 200


@pytest.fixture
def sign(tokens: dict[str, Any], acme: Tenant) -> Sign:
    """Sign Alice's claims again, with a key and changes that a test chooses; None leaves out."""

    def make(
        key: Any = None,
        *,
        algorithm: str = "ES256",
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        claims = claims_of(tokens["access_token"]) | changes
        headers = header_of(tokens["access_token"]) | {"alg": algorithm} | (header or {})
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            key or pool_keys(acme.pool).signing[algorithm].private_key,
            algorithm,
            headers={name: value for name, value in headers.items() if value is not None},
        )

    return make


def hs256(token: str, secret: bytes, **header: Any) -> str:
    """Sign a token's claims by HMAC, which PyJWT refuses to do with a public key."""
    signed = f"{encoded(header_of(token) | {'alg': 'HS256'} | header)}.{token.split('.')[1]}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


# --- Forged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("kept", [True, False])
def test_a_token_without_algorithm_is_refused(tokens, algorithm, kept):
    header, payload, signature = tokens["access_token"].split(".")
    header = encoded(header_of(tokens["access_token"]) | {"alg": algorithm})

    assert_refused(f"{header}.{payload}.{signature if kept else ''}")


@pytest.mark.parametrize("form", ["pem", "der", "point", "jwk", "jwks", "kid", "empty"])
def test_the_public_key_is_no_hmac_secret(tokens, acme, client, form):
    published = client.get("/oidc/acme/jwks.json")
    key = pool_keys(acme.pool).signing["ES256"]
    public = key.public_key
    encoding, format_ = serialization.Encoding, serialization.PublicFormat
    secret = {
        "pem": public.public_bytes(encoding.PEM, format_.SubjectPublicKeyInfo),
        "der": public.public_bytes(encoding.DER, format_.SubjectPublicKeyInfo),
        "point": public.public_bytes(encoding.X962, format_.UncompressedPoint),
        "jwk": json.dumps(published.json()["keys"][0]).encode(),
        "jwks": published.content,
        "kid": key.kid.encode(),
        "empty": b"",
    }[form]

    assert_refused(hs256(tokens["access_token"], secret))


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_another_key_under_the_pools_kid_is_refused(sign, acme, algorithm):
    kid = pool_keys(acme.pool).signing[algorithm].kid
    stranger = generate_private_key(algorithm).private_key

    assert_refused(sign(stranger, algorithm=algorithm, header={"kid": kid}))


def test_a_key_that_the_token_brings_along_is_not_used(sign, acme):
    stranger = generate_private_key("ES256")
    public = stranger.as_dict(private=False)

    assert_refused(sign(stranger.private_key, header={"jwk": public}))
    assert_refused(sign(stranger.private_key, header={"jwk": public, "kid": stranger.thumbprint()}))
    # Nor is anybody asked for it: no test may open a connection.
    for name in ("jku", "x5u"):
        for kid in (stranger.thumbprint(), pool_keys(acme.pool).signing["ES256"].kid):
            elsewhere = {name: "https://evil.example/keys", "kid": kid}
            assert_refused(sign(stranger.private_key, header=elsewhere))


def test_a_key_is_used_with_its_own_algorithm_only(sign, acme):
    keys = pool_keys(acme.pool).signing

    assert_refused(sign(algorithm="RS256", header={"kid": keys["ES256"].kid}))
    assert_refused(sign(algorithm="ES256", header={"kid": keys["RS256"].kid}))
    assert_refused(
        sign(keys["RS256"].private_key, algorithm="RS384", header={"kid": keys["RS256"].kid})
    )
    assert_refused(
        sign(keys["RS256"].private_key, algorithm="PS256", header={"kid": keys["RS256"].kid})
    )


@pytest.mark.parametrize(
    "kid",
    [None, "", "0", "../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "x" * 5000, "a\x00b"],
)
def test_a_kid_that_names_no_key_is_refused(sign, kid):
    assert_refused(sign(header={"kid": kid}))


@pytest.mark.parametrize("kid", [1, True, None, [], ["a"], {}, {"a": 1}, 1.5])
def test_a_kid_that_is_no_text_is_refused(tokens, kid):
    _, payload, signature = tokens["access_token"].split(".")
    header = encoded(header_of(tokens["access_token"]) | {"kid": kid})

    assert_refused(f"{header}.{payload}.{signature}")


def test_a_changed_claim_is_noticed(tokens):
    header, _, signature = tokens["access_token"].split(".")
    claims = claims_of(tokens["access_token"])

    for name, value in {"sub": str(uuid.uuid4()), "scope": "openid", "exp": 2**31}.items():
        assert_refused(f"{header}.{encoded(claims | {name: value})}.{signature}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "a",
        "..",
        "a.b.c",
        "e30.e30.e30",
        "e30.W10.",
        "e30.bnVsbA.e30",
        "é.é.é",
        "e30.e30.e30.e30.e30",
        encoded({"alg": "ES256"}) + "." + encoded(b"\xff\xfe") + ".e30",
        encoded({"alg": "ES256"}) + "." + encoded(b"[" * 100_000) + ".e30",
        encoded(b"[" * 100_000) + "." + encoded({"iss": "x"}) + ".e30",
        encoded({"alg": "ES256"}) + "." + encoded({"iss": "x\x00"}) + ".e30",
        encoded({"alg": "ES256"}) + "." + encoded({"iss": ["x"]}) + ".e30",
    ],
)
def test_what_is_no_token_is_refused(acme, token):
    assert_refused(token)


@pytest.mark.parametrize("damage", ["header", "payload"])
def test_damaged_parts_of_an_acme_token_are_refused(tokens, acme, damage):
    header, payload, signature = tokens["access_token"].split(".")
    garbage = encoded(b"[" * 100_000)
    issuer_only = encoded({"iss": acme.pool.issuer})

    if damage == "header":
        assert_refused(f"{garbage}.{payload}.{signature}")
        assert_refused(f"{encoded([])}.{payload}.{signature}")
        assert_refused(f"{encoded('text')}.{payload}.{signature}")
    else:
        assert_refused(f"{header}.{issuer_only}.{signature}")
        assert_refused(f"{header}.{payload}.")
        assert_refused(f"{header}.{payload}.{signature[:-4]}")


# --- Foreign ----------------------------------------------------------------------------------


def test_a_key_of_another_pool_is_refused(sign, globex):
    key = pool_keys(globex.pool).signing["ES256"]

    assert_refused(sign(key.private_key, header={"kid": key.kid}))


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1:8000/oidc/globex",
        "http://127.0.0.1:8000/oidc/unknown",
        "http://127.0.0.1:8000/oidc/acme/",
        "http://127.0.0.1:8000/oidc/ACME",
        "http://127.0.0.1:8000/oidc/",
        "https://127.0.0.1:8000/oidc/acme",
        "https://evil.example/oidc/acme",
        "acme",
        None,
    ],
)
def test_another_issuer_is_refused(sign, globex, issuer):
    assert_refused(sign(iss=issuer))


def test_a_token_of_another_pool_opens_its_own_doors_only(acme, globex, client, log_in):
    code = builders.wx_login("alice", globex.source.app_id)
    token = log_in(client_id="globex-shop", code=code).json()["access_token"]

    assert userinfo(token, pool="acme").status_code == 401
    assert userinfo(token, pool="globex").status_code == 200


def test_an_id_token_is_no_access_token(tokens):
    assert_refused(tokens["id_token"])


def test_an_id_token_with_an_access_tokens_claims_is_none_either(sign):
    for kind in ("JWT", None, "at+JWT2", "logout+jwt"):
        assert_refused(sign(header={"typ": kind}))


@pytest.mark.parametrize("audience", [None, "acme-shop", ["acme-shop"], "https://evil.example", []])
def test_a_token_for_another_audience_is_refused(sign, audience):
    assert_refused(sign(aud=audience))


@pytest.mark.parametrize("claim", ["exp", "sub", "sid", "scope"])
def test_a_token_that_lacks_a_claim_is_refused(sign, claim):
    assert_refused(sign(**{claim: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"sid": "not-a-uuid"},
        {"sid": 5},
        {"sid": ["x"]},
        {"sid": "bf804b54-ed87-483d-adbe-273d0a26d448"},
        {"sub": "somebody else"},
        {"sub": 5},
        {"scope": ["profile"]},
        {"scope": 5},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": 2**40},
    ],
)
def test_a_signed_token_with_malformed_claims_is_refused(sign, changes):
    assert_refused(sign(**changes))


# --- Expired, or with nothing behind it any more ----------------------------------------------


@pytest.mark.parametrize("seconds", [3600, 3601, 86_400])
def test_an_expired_token_is_refused(tokens, seconds):
    issued = claims_of(tokens["access_token"])["iat"]

    with time_machine.travel(issued + seconds, tick=False):
        assert_refused(tokens["access_token"])


ENDINGS = {
    "session ended": lambda: Session.objects.update(ended_at=timezone.now()),
    "user suspended": lambda: User.objects.update(status="suspended"),
    "user closed": lambda: User.objects.update(status="closed"),
    "application disabled": lambda: Application.objects.update(enabled=False),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_token_with_nothing_behind_it_is_refused(tokens, end):
    end()

    assert_refused(tokens["access_token"])


def test_a_session_of_another_user_is_refused(sign, acme):
    other = User.objects.create(pool=acme.pool)

    assert_refused(sign(sub=other.sub))


# --- In the wrong place -----------------------------------------------------------------------


def test_a_token_in_the_address_is_not_read(tokens, client):
    for path in (ME, "/oidc/acme/userinfo"):
        response = client.get(path, {"access_token": tokens["access_token"]})

        assert response.status_code == 401


@pytest.mark.parametrize("scheme", ["", "Token", "Basic", "DPoP", "Bearer:", "BearerX"])
def test_another_scheme_is_refused(tokens, client, scheme):
    authorization = f"{scheme} {tokens['access_token']}"

    assert client.get(ME, headers={"Authorization": authorization}).status_code == 401


# --- Accepted ---------------------------------------------------------------------------------


def test_a_token_of_a_login_opens_the_doors(tokens):
    assert_accepted(tokens["access_token"])


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_may_be_written_in_any_case(tokens, client, scheme):
    authorization = f"{scheme} {tokens['access_token']}"

    assert client.get(ME, headers={"Authorization": authorization}).status_code == 200


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_tests_own_signature_is_accepted(sign, acme, algorithm):
    # Otherwise the forgeries above might be refused for a reason of their own.
    kid = pool_keys(acme.pool).signing[algorithm].kid

    assert_accepted(sign(algorithm=algorithm, header={"kid": kid}))


def test_a_token_lasts_to_its_last_second(tokens):
    issued = claims_of(tokens["access_token"])["iat"]

    with time_machine.travel(issued + 3599, tick=False):
        assert_accepted(tokens["access_token"])


@pytest.mark.parametrize(("ahead", "accepted"), [(1, True), (30, True), (31, False)])
def test_the_clock_of_the_node_that_signed_may_be_ahead(tokens, ahead, accepted):
    issued = claims_of(tokens["access_token"])["iat"]

    with time_machine.travel(issued - ahead, tick=False):
        (assert_accepted if accepted else assert_refused)(tokens["access_token"])


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_that_begins_later_is_refused(sign, claim):
    now = int(timezone.now().timestamp())

    assert_accepted(sign(**{claim: now + 25}))
    assert_refused(sign(**{claim: now + 35}))


@pytest.mark.django_db(transaction=True)
def test_a_check_costs_one_query(tokens, django_assert_num_queries, monkeypatch):
    """The pool and the application are in memory after a first check."""
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)
    forget_configuration()
    verify_access_token(f"Bearer {tokens['access_token']}", now=timezone.now())

    with django_assert_num_queries(1):
        verify_access_token(f"Bearer {tokens['access_token']}", now=timezone.now())


def test_a_token_of_an_unknown_application_gives_no_access(tokens):
    Application.objects.update(client_id="another")

    with pytest.raises(InvalidToken):
        verify_access_token(f"Bearer {tokens['access_token']}", now=timezone.now())


def test_a_scope_that_was_not_granted_is_asked_for(tokens):
    access = verify_access_token(f"Bearer {tokens['access_token']}", now=timezone.now())

    access.require("account")
    with pytest.raises(InsufficientScope) as refusal:
        access.require("admin")
    assert refusal.value.challenge == 'Bearer error="insufficient_scope"'


def test_a_token_is_checked_at_the_time_that_it_is_told(tokens):
    later = timezone.now() + timedelta(hours=2)

    with pytest.raises(InvalidToken):
        verify_access_token(f"Bearer {tokens['access_token']}", now=later)


def test_a_garbled_token_costs_next_to_nothing(acme):
    began = time.perf_counter()
    for _ in range(5):
        assert_refused(encoded({"alg": "ES256"}) + "." + "A" * 60_000 + ".e30")

    assert time.perf_counter() - began < 5

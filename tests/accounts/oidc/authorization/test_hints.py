"""ID tokens that come back as hints: whose they must be, and what they can't do."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from accounts.models import AuthorizationRequest, Session
from accounts.oidc.authorization.hints import read_hint
from tests.support.client import GuardedClient
from tests.support.login_steps import log_in_on, open_login
from tests.support.oidc import encoded, exchange, header_of
from tests.support.website import answered, authorize, log_in_by_browser, make_site
from userpools.keys import pool_keys


@pytest.fixture
def hint(site, client):
    """Alice's ID token for the SPA; her browser is the client."""
    answer = exchange(log_in_by_browser(client)["code"]).json()
    return answer["id_token"], answer["access_token"]


@pytest.fixture
def id_token(hint):
    return hint[0]


def signed(pool, header=None, **changes):
    """Return a token under the pool's own key, with claims of the test's."""
    key = pool_keys(pool).signing["ES256"]
    claims = {"iss": pool.issuer, "sub": "s", "sid": "i", "aud": "acme-spa"} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"} | (header or {}), claims, key)


def test_a_hint_says_whom_it_was_about_and_in_which_session(site, id_token):
    session = Session.objects.get()

    hint = read_hint(site.pool, id_token)

    assert (hint.sub, hint.sid) == (session.user.sub, str(session.pk))
    assert hint.client_id == "acme-spa"


def test_a_hint_of_long_ago_is_as_good(site, id_token):
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert read_hint(site.pool, id_token)


def test_an_access_token_is_no_hint(site, hint):
    assert read_hint(site.pool, hint[1]) is None


def test_another_pools_token_is_no_hint(site, globex, id_token):
    assert read_hint(globex.pool, id_token) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:8000/oidc/globex"},
        {"iss": None},
        {"aud": ["acme-spa"]},
        {"aud": None},
        {"sub": 1},
        {"sub": None},
        {"sid": None},
        {"sid": {}},
    ],
)
def test_a_token_of_other_claims_is_no_hint(site, changes):
    assert read_hint(site.pool, signed(site.pool)) is not None
    assert read_hint(site.pool, signed(site.pool, **changes)) is None


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"typ": "logout+jwt"}, {"typ": "jwt"}])
def test_a_token_of_another_type_is_no_hint(site, header):
    assert read_hint(site.pool, signed(site.pool, header)) is None


def test_a_token_that_somebody_else_signed_is_no_hint(site, id_token):
    _header, claims, signature = id_token.split(".")
    header = header_of(id_token)
    body = {"iss": site.pool.issuer, "sub": "s", "sid": "i", "aud": "acme-spa"}
    public = pool_keys(site.pool).public.get_by_kid(header["kid"])
    forged = [
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        f"{encoded(header | {'alg': 'none'})}.{claims}.",
        f"{encoded(header)}.{encoded(body)}.{signature}",
        f"{encoded(header)}.{claims}.",
        f"{encoded(header)}.{claims}.{encoded(b'0' * 64)}",
        jwt.encode(header, body, ECKey.generate_key("P-256")),
        jwt.encode(
            header | {"alg": "HS256"},
            body,
            OctKey.import_key(json.dumps(public.as_dict(private=False))),
            algorithms=["HS256"],
        ),
        id_token.swapcase(),
        id_token + "A",
        f" {id_token}",
    ]

    assert [token for token in forged if read_hint(site.pool, token)] == []


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        "W10.W10.W10",
        "MQ.MQ.MQ",
        "bnVsbA.bnVsbA.",
        "\u00e9.\u00e9.\u00e9",
        "A" * 4096,
        encoded({"alg": "ES256", "kid": ["a"]}) + ".e30.e30",
        encoded({"alg": "ES256", "kid": "a", "crit": ["b64"], "b64": False}) + ".e30.e30",
        encoded(b"[" * 3000) + ".e30.e30",
        encoded(b"\xff") + ".e30.e30",
    ],
)
def test_rubbish_is_no_hint(acme, token):
    assert read_hint(acme.pool, token) is None


def test_a_payload_that_is_no_object_is_no_hint(site):
    key = pool_keys(site.pool).signing["ES256"]
    header = {"alg": "ES256", "kid": key.kid, "typ": "JWT"}
    tokens = [_signed_bytes(header, raw, key) for raw in (b"[]", b"1", b"null", b"\xff", b"")]

    assert [token for token in tokens if read_hint(site.pool, token)] == []


def _signed_bytes(header, raw, key):
    return jws.serialize_compact(header, raw, key)


def test_a_hint_that_names_who_is_signed_on_is_answered_at_once(client, id_token):
    assert "code" in answered(authorize(client, id_token_hint=id_token, prompt="none"))


def test_a_hint_that_names_somebody_else_asks_for_a_login(site, id_token):
    bob = GuardedClient()
    log_in_by_browser(bob, person="bob")

    assert answered(authorize(bob, id_token_hint=id_token, prompt="none"))["error"] == (
        "login_required"
    )
    assert authorize(bob, id_token_hint=id_token)["Location"].startswith("/login/acme/")


def test_whoever_logs_in_though_the_hint_names_another_is_not_let_in(site, id_token):
    bob = GuardedClient()

    response = log_in_on(bob, open_login(bob, id_token_hint=id_token), person="bob")

    told = answered(response)
    assert (told["error"], told["state"]) == ("login_required", "a state")
    assert "code" not in told
    login = Session.objects.latest("pk")
    assert login.end_reason == "not_entered"
    assert login.browser_session.ended_at
    assert AuthorizationRequest.objects.latest("pk").answered_at


@pytest.mark.parametrize("prompt", [None, "none", "login"])
@pytest.mark.parametrize("of", ["rubbish", "another application", "another pool"])
def test_a_hint_that_is_not_the_applications_is_refused_before_anybody_logs_in(
    site, globex, client, id_token, of, prompt
):
    make_site(globex.pool, "wxsandbox000000006")
    asks, pool, hint = {
        "rubbish": ("acme-spa", "acme", "a.b.c"),
        "another application": ("acme-native", "acme", id_token),
        "another pool": ("globex-spa", "globex", id_token),
    }[of]
    uri = "https://spa.example.com/callback" if asks == "globex-spa" else None
    changes = {"redirect_uri": uri} if uri else {}

    told = answered(
        authorize(client, asks, pool=pool, id_token_hint=hint, prompt=prompt, **changes)
    )

    assert told["error"] == "invalid_request"
    assert "id_token_hint" in told["error_description"]

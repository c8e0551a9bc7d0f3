"""Tokens that Mallory makes up, to pass for the provider or to sign Alice off (Core §16.3, §16.11).

What a forged access token comes to is tried at length in test_access.py, and a forged client
assertion in tests/applications/test_client_assertions.py; here it is the ID token that comes back
to the provider as a hint, the one token of which a browser has hold.
"""

import hashlib
import hmac
from typing import Any

import jwt
import pytest
from django.utils import timezone
from joserfc.jwk import ECKey

from accounts.backchannel.logout_tokens import logout_token
from accounts.models import Session
from tests.support.client import GuardedClient
from tests.support.oidc import claims_of, encoded, exchange, header_of, userinfo
from tests.support.website import answered, authorize, log_in_by_browser
from userpools.keys import generate_private_key, jwks, pool_keys

pytestmark = pytest.mark.rsa


@pytest.fixture
def id_token(site, client) -> str:
    """The ID token of Alice's login, which her browser remembers."""
    code = log_in_by_browser(client)["code"]
    return str(exchange(code).json()["id_token"])


def forged(token: str, key: Any, algorithm: str = "ES256", **header: Any) -> str:
    """Sign the claims of an ID token again."""
    headers = header_of(token) | {"alg": algorithm} | header
    return jwt.encode(claims_of(token), key, algorithm, headers=headers)


def is_signed_on(browser: GuardedClient) -> bool:
    return "code" in answered(authorize(browser, prompt="none"))


def assert_signs_nobody_off(browser: GuardedClient, hint: str) -> None:
    """Expect the hint to say nothing: not whom to log out, and not whom to log in."""
    response = browser.get("/oidc/acme/logout", {"id_token_hint": hint})
    assert response.status_code == 200
    assert is_signed_on(browser)
    asked = authorize(browser, prompt="none", id_token_hint=hint)
    assert answered(asked)["error"] == "invalid_request"


def test_algorithm_confusion_the_public_key_is_no_shared_secret(site, client, id_token):
    public = pool_keys(site.pool).signing["ES256"].as_pem(private=False)
    signed = f"{encoded(header_of(id_token) | {'alg': 'HS256'})}.{id_token.split('.')[1]}"
    mac = hmac.digest(public, signed.encode(), hashlib.sha256)

    assert_signs_nobody_off(client, f"{signed}.{encoded(mac)}")


def test_algorithm_confusion_no_algorithm_is_none(site, client, id_token):
    header = encoded(header_of(id_token) | {"alg": "none"})

    assert_signs_nobody_off(client, f"{header}.{id_token.split('.')[1]}.")


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "' OR 1=1 --", "https://evil.example/", ""]
)
def test_kid_injection_a_name_leads_to_no_other_key(site, client, id_token, kid):
    key = generate_private_key("ES256")

    assert_signs_nobody_off(client, forged(id_token, key.private_key, kid=kid))


def test_kid_injection_a_key_that_comes_along_is_not_used(site, client, id_token):
    key: Any = generate_private_key("ES256")
    assert isinstance(key, ECKey)
    public = key.as_dict(private=False)

    for header in ({"jwk": public}, {"jku": "https://evil.example/jwks.json"}):
        assert_signs_nobody_off(client, forged(id_token, key.private_key, **header))


def test_the_wrong_pools_jwks_a_key_of_globex_signs_nothing_of_acmes(globex, client, id_token):
    key = pool_keys(globex.pool).signing["ES256"]

    assert key.kid in {published["kid"] for published in jwks(globex.pool)["keys"]}
    assert_signs_nobody_off(client, forged(id_token, key.private_key, kid=key.kid))


def test_forged_logout_a_strangers_link_only_asks(site, client):
    log_in_by_browser(client)

    response = client.get("/oidc/acme/logout", {"client_id": "acme-spa"})

    assert response.status_code == 200
    assert is_signed_on(client)


@pytest.mark.parametrize("kind", ["logout", "access"])
def test_forged_logout_no_other_token_of_ours_is_a_hint(site, client, kind):
    tokens = exchange(log_in_by_browser(client)["code"]).json()
    session = Session.objects.get()
    made = {
        "logout": logout_token(session, now=timezone.now()),
        "access": tokens["access_token"],
    }

    assert_signs_nobody_off(client, made[kind])
    assert userinfo(made["logout"]).status_code == 401

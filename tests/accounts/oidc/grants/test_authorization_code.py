"""Exchanging authorization codes: once, within a minute, by who asked and can prove it."""

import base64
import hashlib
import uuid
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey

from accounts.models import AuthorizationCode, RefreshToken, Session, User
from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from tests.accounts.oidc.grants.answers import INVALID_CODE
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import (
    assert_refused,
    basic,
    claims_of,
    exchange,
    header_of,
    refresh,
    userinfo,
)
from tests.support.website import (
    REDIRECT_URIS,
    SPA_URI,
    VERIFIER,
    authorization_code,
    challenge_of,
    log_in_by_browser,
)

SECRET = builders.CLIENT_SECRET
ISSUER = "http://127.0.0.1:8000/oidc/acme"


CLIENT_KEY, STRANGERS_KEY = (ECKey.generate_key("P-256", {"kid": "of-acme-web"}) for _ in "12")


def assertion(key: ECKey = CLIENT_KEY) -> dict[str, str]:
    """Return the fields by which Acme's website proves itself with a key."""
    now = int(timezone.now().timestamp())
    claims = {
        "iss": "acme-web",
        "sub": "acme-web",
        "aud": ISSUER,
        "jti": str(uuid.uuid4()),
        "exp": now + 60,
    }
    return {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key),
    }


def is_unused(code: str) -> bool:
    code_hash = hashlib.sha256(code.encode()).digest()
    return AuthorizationCode.objects.get(code_hash=code_hash).used_at is None


def merge_away() -> None:
    user = User.objects.get()
    older = builders.make_user(user.pool)
    User.objects.filter(pk=user.pk).update(status="merged", merged_into=older)


# --- PKCE -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verifier", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        (VERIFIER[:-1] + "X", "invalid_grant"),
        (VERIFIER.upper(), "invalid_grant"),
        (challenge_of(VERIFIER), "invalid_grant"),
        ("x" * 42, "invalid_request"),
        ("x" * 129, "invalid_request"),
        (VERIFIER + " ", "invalid_request"),
        (VERIFIER + "\n", "invalid_grant"),
        ("证" * 50, "invalid_request"),
        (VERIFIER[:42] + "/", "invalid_request"),
    ],
)
def test_without_the_verifier_a_code_is_nothing(site, verifier, error):
    code = authorization_code()

    assert_refused(exchange(code, code_verifier=verifier), error)

    # Whoever guessed has not spent it: the application itself still may.
    assert is_unused(code)
    assert exchange(code).status_code == 200


@pytest.mark.parametrize("length", [43, 128])
def test_a_verifier_may_be_as_short_or_long_as_the_rfc_says(site, length):
    verifier = "~" * length
    code = authorization_code(code_challenge=challenge_of(verifier))

    assert exchange(code, code_verifier=verifier).status_code == 200


def test_a_secret_is_no_substitute_for_the_verifier(site):
    code = authorization_code("acme-web")

    response = exchange(code, "acme-web", secret=SECRET, code_verifier=None)

    assert_refused(response, "invalid_request")
    assert is_unused(code)


def test_a_verifier_for_a_code_without_challenge_is_refused(site):
    # The downgrade of RFC 9700 §4.8.2: an attacker took the challenge out of the request.
    Application.objects.filter(pk=site.web.pk).update(pkce="optional")
    code = authorization_code("acme-web", code_challenge=None, code_challenge_method=None)

    assert_refused(exchange(code, "acme-web", secret=SECRET), "invalid_request")

    assert is_unused(code)


def test_a_confidential_application_may_do_with_a_nonce(site):
    Application.objects.filter(pk=site.web.pk).update(pkce="optional")
    code = authorization_code("acme-web", code_challenge=None, code_challenge_method=None)

    response = exchange(code, "acme-web", secret=SECRET, code_verifier=None)

    assert response.status_code == 200
    assert claims_of(response.json()["id_token"])["nonce"] == "a nonce"


# --- Whose code it is -------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["x", "x" * 43, "x" * 4096, "密码", "' OR 1=1 --"])
def test_an_unknown_code_is_refused(site, code):
    response = exchange(code)

    assert response.status_code == 400
    assert response.json() == INVALID_CODE


def test_a_code_is_refused_to_another_application(site):
    code = authorization_code()

    response = exchange(code, "acme-native", redirect_uri=SPA_URI)

    assert response.status_code == 400
    assert response.json() == INVALID_CODE
    assert is_unused(code)
    assert exchange(code).status_code == 200


def test_another_application_ends_nothing_by_using_a_code_again(site):
    code = authorization_code()
    answer = exchange(code).json()

    assert_refused(exchange(code, "acme-native", redirect_uri=SPA_URI))

    assert userinfo(answer["access_token"]).status_code == 200


@pytest.mark.parametrize("client_id", ["globex-shop", "acme-spa"])
def test_a_code_is_refused_in_another_pool(site, globex, client_id):
    code = authorization_code()

    response = exchange(code, client_id, pool="globex", redirect_uri=SPA_URI)

    assert response.status_code in {400, 401}
    assert is_unused(code)


@pytest.mark.parametrize(
    "secret", [None, "", "wrong" * 8, SECRET.upper(), SECRET + " ", "a\x00b"], ids=repr
)
def test_a_confidential_application_proves_itself(site, secret):
    code = authorization_code("acme-web")

    response = exchange(code, "acme-web", client_secret=secret)

    assert response.status_code in {400, 401}
    assert response.json()["error"] in {"invalid_client", "invalid_request"}
    assert is_unused(code)


def test_an_expired_secret_proves_nothing(site):
    code = authorization_code("acme-web")
    site.web.client_secrets.update(expires_at=timezone.now())

    assert_refused(exchange(code, "acme-web", secret=SECRET), "invalid_client", 401)


# --- The redirect URI -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        SPA_URI + "/",
        SPA_URI + "?",
        SPA_URI[:-1],
        SPA_URI.upper(),
        SPA_URI.replace("https", "http"),
        SPA_URI.replace("/callback", "/%63allback"),
        "https://evil.example/callback",
    ],
)
def test_the_redirect_uri_is_the_same_to_the_character(site, uri):
    code = authorization_code()

    assert_refused(exchange(code, redirect_uri=uri))

    assert is_unused(code)


# --- Time -------------------------------------------------------------------------------------


def test_a_code_is_good_for_a_minute(site):
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        late, last = authorization_code(), authorization_code(person="bob")

    with time_machine.travel(began + timedelta(seconds=59), tick=False):
        assert exchange(last).status_code == 200
    for seconds in (60, 61, 86_400):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            response = exchange(late)
        assert response.status_code == 400
        assert response.json() == INVALID_CODE


# --- What ended meanwhile ---------------------------------------------------------------------

CIRCUMSTANCES = {
    "user suspended": lambda: User.objects.update(status="suspended"),
    "user closed": lambda: User.objects.update(status="closed"),
    "user merged": merge_away,
    "application disabled": lambda: Application.objects.update(enabled=False),
    "method disabled": lambda: LoginMethod.objects.update(enabled=False),
    "method gone": lambda: LoginMethod.objects.all().delete(),
    "source disabled": lambda: IdentitySource.objects.update(enabled=False),
    "source archived": lambda: IdentitySource.objects.update(archived_at=timezone.now()),
    "session ended": lambda: Session.objects.update(ended_at=timezone.now()),
}


@pytest.mark.parametrize("change", CIRCUMSTANCES.values(), ids=CIRCUMSTANCES.keys())
def test_what_has_ended_gives_no_tokens(site, change):
    code = authorization_code()
    change()

    response = exchange(code)

    assert response.status_code == 400
    assert response.json() == INVALID_CODE
    assert not RefreshToken.objects.exists()
    assert is_unused(code)


# --- What it gives ----------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ["acme-spa", "acme-native"])
def test_a_public_application_gets_tokens_for_its_code(site, client_id):
    response = exchange(authorization_code(client_id), client_id)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert answer == {
        "access_token": ANY,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": ANY,
        "id_token": ANY,
        "scope": "openid profile offline_access",
    }
    assert userinfo(answer["access_token"]).status_code == 200


@pytest.mark.parametrize(
    "proof",
    [
        {"client_secret": SECRET},
        {"client_id": None, "headers": basic("acme-web", SECRET)},
        {"headers": basic("acme-web", SECRET)},
    ],
    ids=["in the form", "by Basic", "by Basic, and named in the form"],
)
def test_a_confidential_application_gets_tokens_by_its_secret(site, proof):
    code = authorization_code("acme-web")
    fields = {"client_id": "acme-web", "redirect_uri": REDIRECT_URIS["acme-web"]} | proof

    assert exchange(code, **fields).status_code == 200


def test_an_application_with_a_key_gets_tokens_by_an_assertion_once(site):
    Application.objects.filter(pk=site.web.pk).update(
        client_authentication="private_key_jwt",
        jwks={"keys": [CLIENT_KEY.as_dict(private=False)]},
    )
    code, proof = authorization_code("acme-web"), assertion()

    assert_refused(exchange(code, "acme-web", client_secret=SECRET), "invalid_client", 401)
    assert_refused(exchange(code, "acme-web", **assertion(STRANGERS_KEY)), "invalid_client", 401)
    assert exchange(code, "acme-web", **proof).status_code == 200
    assert_refused(exchange(code, "acme-web", **proof), "invalid_client", 401)
    # A stolen assertion can't even end the session.
    assert Session.objects.get().ended_at is None


def test_the_id_token_says_exactly_this(site):
    browser, began = GuardedClient(), timezone.now().replace(microsecond=0)
    with time_machine.travel(began, tick=False):
        log_in_by_browser(browser, "acme-web")
    with time_machine.travel(began + timedelta(minutes=9), tick=False):
        # Single sign-on: the person logged in nine minutes ago.
        answer = exchange(log_in_by_browser(browser)["code"]).json()

    session = Session.objects.get(application=site.spa)
    digest = hashlib.sha256(answer["access_token"].encode()).digest()
    now = int((began + timedelta(minutes=9)).timestamp())
    assert claims_of(answer["id_token"]) == {
        "iss": ISSUER,
        "sub": session.user.sub,
        "aud": "acme-spa",
        "sid": str(session.pk),
        "nonce": "a nonce",
        "auth_time": int(began.timestamp()),
        "iat": now,
        "exp": now + 3600,
        "at_hash": base64.urlsafe_b64encode(digest[:16]).decode().rstrip("="),
        "updated_at": int(session.user.updated_at.timestamp()),
    }


def test_without_a_nonce_the_id_token_has_none(site):
    answer = exchange(authorization_code(nonce=None)).json()

    assert "nonce" not in claims_of(answer["id_token"])


def test_a_refreshed_id_token_repeats_no_nonce(site):
    # OpenID Connect Core §12.2
    answer = exchange(authorization_code()).json()

    refreshed = refresh(answer["refresh_token"], client_id="acme-spa").json()

    assert "nonce" not in claims_of(refreshed["id_token"])


@pytest.mark.rsa
def test_an_application_of_rs256_gets_both_tokens_so(site):
    Application.objects.filter(pk=site.spa.pk).update(signing_algorithm="RS256")

    answer = exchange(authorization_code()).json()

    assert header_of(answer["access_token"])["alg"] == "RS256"
    assert header_of(answer["id_token"])["alg"] == "RS256"
    assert userinfo(answer["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("scope", "absent"),
    [
        ("openid", {"refresh_token"}),
        ("profile offline_access", {"id_token"}),
        ("profile", {"refresh_token", "id_token"}),
    ],
)
def test_the_scope_that_was_asked_for_decides(site, scope, absent):
    answer = exchange(authorization_code(scope=scope)).json()

    assert {"id_token", "refresh_token"} - answer.keys() == absent
    assert answer["scope"] == claims_of(answer["access_token"])["scope"] == scope


def test_a_scope_at_the_token_endpoint_widens_nothing(site):
    answer = exchange(authorization_code(scope="openid"), scope="openid profile phone").json()

    assert answer["scope"] == "openid"


def test_the_code_itself_is_stored_nowhere(site):
    code = authorization_code()

    [stored] = AuthorizationCode.objects.values()
    assert bytes(stored["code_hash"]) == hashlib.sha256(code.encode()).digest()
    assert code not in repr(stored)
    assert len(code) == 43

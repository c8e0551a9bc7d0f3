"""The discovery document: everything a program needs to know, and nothing that isn't so."""

from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.rsa

ADDRESS = "/oidc/acme/.well-known/openid-configuration"
PROOFS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
ALGORITHMS_OF_CLIENTS = ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"]


def test_an_unknown_pool_has_no_discovery(acme, client):
    response = client.get("/oidc/unknown/.well-known/openid-configuration")

    assert response.status_code == 404
    assert response.json() == {
        "error": "invalid_request",
        "error_description": "There is nothing at this address.",
        "request_id": response["X-Request-ID"],
    }


def test_the_document_says_exactly_this(acme, client):
    response = client.get(ADDRESS)

    issuer = "http://127.0.0.1:8000/oidc/acme"
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "end_session_endpoint": f"{issuer}/logout",
        "token_endpoint_auth_methods_supported": ["none", *PROOFS],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS_OF_CLIENTS,
        "revocation_endpoint_auth_methods_supported": ["none", *PROOFS],
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS_OF_CLIENTS,
        "introspection_endpoint_auth_methods_supported": PROOFS,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS_OF_CLIENTS,
        "scopes_supported": ["openid", "profile", "phone", "email", "account", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "claim_types_supported": ["normal"],
        "prompt_values_supported": ["consent", "login", "none", "select_account"],
        "ui_locales_supported": ["en", "zh-Hans"],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "sid",
            "at_hash",
            "nickname",
            "picture",
            "updated_at",
            "phone_number",
            "phone_number_verified",
            "email",
            "email_verified",
        ],
    }


def test_every_pool_has_an_issuer_of_its_own(acme, globex, client):
    other = client.get("/oidc/globex/.well-known/openid-configuration").json()

    assert other["issuer"] == "http://127.0.0.1:8000/oidc/globex"
    assert "acme" not in str(other)


def test_every_address_that_is_named_exists(acme, client):
    document = client.get(ADDRESS).json()
    addresses = {name: document[name] for name in document if name.endswith(("_endpoint", "_uri"))}

    answers = {name: client.get(urlsplit(to).path).status_code for name, to in addresses.items()}

    assert answers == {
        "authorization_endpoint": 400,
        "token_endpoint": 405,
        "userinfo_endpoint": 401,
        "jwks_uri": 200,
        "introspection_endpoint": 405,
        "revocation_endpoint": 405,
        "device_authorization_endpoint": 405,
        "pushed_authorization_request_endpoint": 405,
        "end_session_endpoint": 200,
    }


def test_any_page_may_read_it_and_keep_it_for_an_hour(acme, client):
    response = client.get(ADDRESS, headers={"Origin": "https://anywhere.example"})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies


def test_the_issuer_follows_the_public_address_and_not_the_request(acme, client, settings):
    settings.PUBLIC_URL = "https://login.example.com"

    assert client.get(ADDRESS).json()["issuer"] == "https://login.example.com/oidc/acme"


def test_the_document_is_also_where_oauth_clients_look_for_it(acme, client):
    response = client.get("/.well-known/oauth-authorization-server/oidc/acme")

    assert response.json() == client.get("/oidc/acme/.well-known/openid-configuration").json()
    assert client.get("/.well-known/oauth-authorization-server/oidc/globex").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "/oidc/acme//.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/oidc/acme",
        "/.well-known/oauth-authorization-server/oidc/acme/",
    ],
)
def test_an_issuer_that_was_typed_with_a_slash_at_its_end_is_understood(acme, client, address):
    found = client.get(address)

    assert (found.status_code, found.json()) == (200, client.get(ADDRESS).json())

"""The discovery document: everything a program needs to know, and nothing that isn't so."""

from urllib.parse import urlsplit

import pytest

ADDRESS = "/oidc/acme/.well-known/openid-configuration"


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
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": ["openid", "profile", "phone", "account", "offline_access"],
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "token_endpoint_auth_methods_supported": [
            "none",
            "client_secret_basic",
            "client_secret_post",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "sid",
            "at_hash",
            "nickname",
            "picture",
            "updated_at",
            "phone_number",
            "phone_number_verified",
        ],
    }


def test_every_pool_has_an_issuer_of_its_own(acme, globex, client):
    other = client.get("/oidc/globex/.well-known/openid-configuration").json()

    assert other["issuer"] == "http://127.0.0.1:8000/oidc/globex"
    assert "acme" not in str(other)


@pytest.mark.parametrize("name", ["token_endpoint", "userinfo_endpoint", "jwks_uri"])
def test_every_address_that_is_named_exists(acme, client, name):
    address = urlsplit(client.get(ADDRESS).json()[name])

    assert client.get(address.path).status_code in {200, 401, 405}


def test_any_page_may_read_it_and_keep_it_for_an_hour(acme, client):
    response = client.get(ADDRESS, headers={"Origin": "https://anywhere.example"})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies


def test_the_issuer_follows_the_public_address_and_not_the_request(acme, client, settings):
    settings.PUBLIC_URL = "https://login.example.com"

    assert client.get(ADDRESS).json()["issuer"] == "https://login.example.com/oidc/acme"

"""The published keys of a pool."""

import pytest

from userpools.keys import jwks

pytestmark = pytest.mark.rsa

ADDRESS = "/oidc/acme/jwks.json"


def test_an_unknown_pool_has_no_keys(acme, client):
    response = client.get("/oidc/unknown/jwks.json")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "error": "invalid_request",
        "error_description": "There is nothing at this address.",
        "request_id": response["X-Request-ID"],
    }
    assert "Access-Control-Allow-Origin" not in response


def test_the_keys_are_read_and_never_written(acme, client):
    assert client.post(ADDRESS, {}).status_code == 405


def test_the_keys_are_those_of_the_pool_without_their_private_part(acme, globex, client):
    response = client.get(ADDRESS)

    assert response.status_code == 200
    assert response.json() == jwks(acme.pool)
    assert response.json() != client.get("/oidc/globex/jwks.json").json()
    assert {"d", "p", "q", "dp", "dq", "qi"}.isdisjoint(
        name for key in response.json()["keys"] for name in key
    )


def test_any_page_may_read_them_and_keep_them_for_an_hour(acme, client):
    response = client.get(ADDRESS, headers={"Origin": "https://anywhere.example"})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies

"""Config OP: the module of ``oidcc-config-certification-test-plan``, one test for each check.

The issuer is at an https address here, as the suite demands.
"""

from urllib.parse import urlsplit

import pytest

from tests.certification.relying_party import RelyingParty

pytestmark = pytest.mark.rsa

ISSUER = "https://login.example.com/oidc/acme"
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def party(acme, settings) -> RelyingParty:
    """The suite before a provider on the internet; this plan needs no client."""
    settings.PUBLIC_URL = "https://login.example.com"
    return RelyingParty(issuer=ISSUER, client_id="", client_secret="", redirect_uri="")


@pytest.fixture
def metadata(party):
    return party.metadata


def test_oidcc_discovery_endpoint_verification(party):
    response = party.fetch(f"{ISSUER}/.well-known/openid-configuration")

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response.json()["issuer"] == ISSUER


def test_oidcc_discovery_endpoint_verification_response_types(metadata):
    assert metadata["response_types_supported"] == ["code"]


def test_oidcc_discovery_endpoint_verification_issuer_is_a_plain_address(metadata):
    issuer = urlsplit(metadata["issuer"])

    assert (issuer.scheme, issuer.query, issuer.fragment) == ("https", "", "")


def test_oidcc_discovery_endpoint_verification_subject_types(metadata):
    assert set(metadata["subject_types_supported"]) <= {"public", "pairwise"}


def test_oidcc_discovery_endpoint_verification_id_token_signing_algorithms(metadata):
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert "none" not in metadata["id_token_signing_alg_values_supported"]


def test_oidcc_discovery_endpoint_verification_required_endpoints(metadata):
    named = {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}

    assert named <= metadata.keys()


def test_oidcc_discovery_endpoint_verification_all_endpoints_are_https(metadata):
    addresses = [
        text for name, text in metadata.items() if name.endswith(("_endpoint", "_uri", "issuer"))
    ]

    assert len(addresses) == 10
    assert {urlsplit(address)[:2] for address in addresses} == {("https", "login.example.com")}


def test_oidcc_discovery_endpoint_verification_claims(metadata):
    assert {"sub", "iss", "aud", "exp", "iat"} <= set(metadata["claims_supported"])


def test_oidcc_discovery_endpoint_verification_grant_types(metadata):
    assert "authorization_code" in metadata["grant_types_supported"]
    assert not {"implicit", "password"} & set(metadata["grant_types_supported"])


def test_oidcc_discovery_endpoint_verification_scopes(metadata):
    assert "openid" in metadata["scopes_supported"]
    assert all(
        scope.isascii() and scope.split() == [scope] for scope in metadata["scopes_supported"]
    )


def test_oidcc_discovery_endpoint_verification_locales_are_in_canonical_form(metadata):
    assert metadata["ui_locales_supported"] == ["en", "zh-Hans"]


def test_oidcc_discovery_endpoint_verification_code_challenge_methods(metadata):
    assert metadata["code_challenge_methods_supported"] == ["S256"]


def test_oidcc_discovery_endpoint_verification_says_what_it_does_not_support(metadata):
    names = ("claims_parameter", "request_parameter", "request_uri_parameter")

    assert [metadata[f"{name}_supported"] for name in names] == [False, False, False]


def test_oidcc_discovery_endpoint_verification_keys_are_named_apart(party):
    keys = party.published_keys()

    assert len({key["kid"] for key in keys}) == len(keys)
    assert {(key["use"], key["alg"]) for key in keys} == {("sig", "ES256"), ("sig", "RS256")}


def test_oidcc_discovery_endpoint_verification_keys_are_public(party):
    assert [key for key in party.published_keys() if PRIVATE_MEMBERS & key.keys()] == []
    assert {key["kty"] for key in party.published_keys()} == {"EC", "RSA"}


def test_oidcc_discovery_endpoint_verification_keys_are_strong(party):
    (modulus,) = [key["n"] for key in party.published_keys() if key["kty"] == "RSA"]
    (curve,) = [key["crv"] for key in party.published_keys() if key["kty"] == "EC"]

    assert len(modulus) * 6 >= 2048
    assert curve == "P-256"

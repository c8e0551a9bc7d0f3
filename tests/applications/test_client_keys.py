"""The public keys that an application registers: what is taken, and what each is good for."""

import json

import pytest
from django.core.exceptions import ValidationError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from applications.client_keys import (
    CLIENT_KEY_ALGORITHMS,
    algorithm_of,
    client_keys,
    validate_client_jwks,
)

EC = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
ED25519 = OKPKey.generate_key("Ed25519")

NOT_A_SET = 'Paste a JWK set: {"keys": […]} with one to ten keys.'
PRIVATE = "This is a private key: keep it, and paste the public one."
NOT_A_KEY = "One of the keys isn't a JWK (RFC 7517)."
ANOTHER_KIND = "Use EC, RSA or Ed25519 keys for signatures."
KIDS = "Several keys need a kid each, all of them different."


def public(key: Key, **members) -> dict:
    return key.as_dict(private=False) | members


def refusal_of(jwks) -> str:
    with pytest.raises(ValidationError) as refusal:
        validate_client_jwks(jwks)
    (sentence,) = refusal.value.messages
    return sentence


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        "{}",
        {},
        {"keys": []},
        {"keys": {}},
        {"keys": "EC"},
        public(EC),
        {"keys": [public(EC, kid=str(number)) for number in range(11)]},
        {"keys": [public(EC)], "more": []},
    ],
)
def test_what_is_no_set_of_one_to_ten_keys_is_refused(jwks):
    assert refusal_of(jwks) == NOT_A_SET


@pytest.mark.parametrize("key", [EC, RSA, ED25519])
def test_a_private_key_is_refused_and_not_quoted(key):
    jwks = {"keys": [key.as_dict(private=True)]}

    assert refusal_of(jwks) == PRIVATE


def test_what_is_left_of_a_private_rsa_key_is_refused():
    key = RSA.as_dict(private=True)
    del key["d"]

    assert refusal_of({"keys": [key]}) == PRIVATE


def test_a_symmetric_key_is_refused():
    assert refusal_of({"keys": [OctKey.generate_key(256).as_dict(private=True)]}) == PRIVATE


@pytest.mark.parametrize(
    "key",
    [
        "EC",
        None,
        {},
        {"kty": "EC"},
        {"kty": "oct"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
        public(EC, x="!"),
        public(EC, y=EC.as_dict(private=False)["x"]),
        public(EC, crv="P-257"),
        public(EC, kid=7),
        public(EC, kid=None),
        public(EC, alg=5),
        public(EC, kty="RSA"),
        public(EC, x=["a"]),
        public(EC, kid="a\0"),
        public(EC, kid="\ud800"),
        public(EC, **{"a\0": "b"}),
        public(EC, x5c=["a\0"]),
    ],
)
def test_what_is_no_jwk_is_refused(key):
    assert refusal_of({"keys": [key]}) == NOT_A_KEY


@pytest.mark.parametrize("name", ["x", "kid", "unheard-of"])
def test_what_is_nested_is_refused_however_deep(name):
    nested: list = []
    for _level in range(5_000):
        nested = [nested]

    assert refusal_of({"keys": [public(EC) | {name: nested}]}) == NOT_A_KEY


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_is_refused():
    key = RSAKey.generate_key(1024)

    assert refusal_of({"keys": [public(key)]}) == "An RSA key has at least 2048 bits."


@pytest.mark.parametrize(
    "key",
    [
        public(ECKey.generate_key("secp256k1")),
        public(OKPKey.generate_key("X25519")),
        public(OKPKey.generate_key("Ed448")),
        public(EC, use="enc"),
        public(EC, use=["sig"]),
        public(EC, key_ops=["encrypt"]),
        public(EC, alg="RS256"),
        public(EC, alg="ES384"),
        public(EC, alg="HS256"),
        public(EC, alg="none"),
        public(RSA, alg="ES256"),
        public(RSA, alg="HS256"),
        public(RSA, alg="RSA-OAEP"),
        public(ED25519, alg="ES256"),
    ],
)
def test_a_key_for_anything_else_is_refused(key):
    assert refusal_of({"keys": [key]}) == ANOTHER_KIND


@pytest.mark.parametrize(
    "members",
    [
        [{}, {}],
        [{"kid": "a"}, {}],
        [{"kid": "a"}, {"kid": "a"}],
    ],
)
def test_several_keys_are_told_apart_by_their_kids(members):
    keys = [
        {name: value for name, value in public(EC).items() if name != "kid"} | more
        for more in members
    ]

    assert refusal_of({"keys": keys}) == KIDS


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (public(EC), "ES256"),
        (public(EC, use="sig", key_ops=["verify"], alg="ES256"), "ES256"),
        (public(ECKey.generate_key("P-384")), "ES384"),
        (public(ECKey.generate_key("P-521")), "ES512"),
        (public(RSA), "RS256"),
        (public(RSA, alg="PS256"), "PS256"),
        (public(ED25519), "Ed25519"),
    ],
)
def test_a_key_is_used_with_one_algorithm(key, algorithm):
    jwks = json.loads(json.dumps({"keys": [key]}))

    validate_client_jwks(jwks)

    assert [algorithm_of(known) for known in client_keys(jwks).keys] == [algorithm]
    assert algorithm in CLIENT_KEY_ALGORITHMS


def test_ten_keys_are_taken():
    validate_client_jwks({"keys": [public(EC, kid=str(number)) for number in range(10)]})

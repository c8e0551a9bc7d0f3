"""private_key_jwt: which assertions prove an application, each of them once."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from applications.client_authentication import (
    ClientCredentials,
    authenticate_client,
    authenticated_application,
    read_credentials,
)
from applications.client_keys import algorithm_of
from applications.models import ClientAssertion
from config.kernel.errors import InvalidClient, InvalidRequest
from tests.support import builders

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ISSUER = "http://127.0.0.1:8000/oidc/acme"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = ECKey.generate_key("P-256", {"kid": "first"})
SHARED = OctKey.generate_key(256, {"alg": "HS256", "kid": "first"})
SECOND_KEY = RSAKey.generate_key(2048, {"kid": "second"})


def at(**later: float) -> int:
    return int((NOW + timedelta(**later)).timestamp())


def assertion(key: Key = KEY, header: dict | None = None, **changes) -> str:
    """Return what the application sends; a claim that is None is left out."""
    claims = {
        "iss": "acme-web",
        "sub": "acme-web",
        "aud": ISSUER,
        "jti": "once",
        "iat": at(),
        "exp": at(minutes=1),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": algorithm_of(key), "kid": key.kid} | (header or {})
    header = {name: value for name, value in header.items() if value is not None}
    # Escaped: joserfc's own way of writing claims can't write half of a surrogate pair.
    payload = json.dumps(claims).encode()
    return jws.serialize_compact(header, payload, key, algorithms=[header["alg"]])


def unsigned(header: dict, claims: object) -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().strip("=") for part in parts), ""])


def prove(application, unverified_assertion: str | None, now: datetime = NOW) -> None:
    client = ClientCredentials("acme-web", unverified_assertion=unverified_assertion)
    authenticate_client(application, client, now=now)


def is_refused(application, unverified_assertion: str | None, now: datetime = NOW) -> None:
    with pytest.raises(InvalidClient) as refusal:
        prove(application, unverified_assertion, now)
    assert refusal.value.description == InvalidClient.description
    assert refusal.value.__cause__ is None


def registered(*keys: Key) -> dict:
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def web(acme):
    return builders.make_application(
        acme.pool,
        client_id="acme-web",
        type="web",
        client_authentication="private_key_jwt",
        jwks=registered(KEY),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": None},
        {"iss": "acme-shop"},
        {"iss": ISSUER},
        {"iss": ["acme-web"]},
        {"sub": None},
        {"sub": "acme-shop"},
        {"sub": {"acme-web": 1}},
        {"aud": None},
        {"aud": ""},
        {"aud": []},
        {"aud": "http://127.0.0.1:8000/oidc/globex"},
        {"aud": f"{ISSUER}/"},
        {"aud": f"{ISSUER}/authorize"},
        {"aud": f"{ISSUER}/token/x"},
        {"aud": "http://127.0.0.1:8000"},
        {"aud": [["x"]]},
        {"aud": 7},
        {"exp": None},
        {"exp": at(seconds=-60)},
        {"exp": at(hours=1, seconds=61)},
        {"exp": at(days=400)},
        {"exp": 10**400},
        {"exp": "soon"},
        {"exp": True},
        {"iat": at(seconds=61)},
        {"iat": "now"},
        {"nbf": at(seconds=61)},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
        {"jti": "\ud800"},
        {"jti": "a\0"},
    ],
)
def test_a_claim_that_says_something_else_is_refused(web, changes):
    is_refused(web, assertion(**changes))

    assert not ClientAssertion.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ISSUER}/token"},
        {"aud": f"{ISSUER}/par"},
        {"aud": f"{ISSUER}/introspect"},
        {"aud": f"{ISSUER}/revoke"},
        {"aud": f"{ISSUER}/device_authorization"},
        {"aud": ["https://other.example.com", f"{ISSUER}/token"]},
        {"exp": at(seconds=-59)},
        {"exp": at(hours=1, seconds=60)},
        {"exp": at(seconds=30) + 0.5},
        {"iat": None},
        {"iat": at(seconds=60)},
        {"nbf": at(seconds=60)},
        {"jti": "x" * 256},
        {"unheard-of": {"a": [1]}},
    ],
)
def test_an_assertion_for_us_and_just_now_is_taken(web, changes):
    prove(web, assertion(**changes))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "a.b.c",
        "密钥",
        assertion()[:-4],
        assertion().rsplit(".", 1)[0] + ".",
        assertion(ECKey.generate_key("P-256", {"kid": "first"})),
        unsigned({"alg": "none"}, {"sub": "acme-web"}),
        unsigned({"alg": "none", "kid": "first"}, {"sub": "acme-web"}),
        unsigned({"alg": "ES256", "kid": ["first"]}, {"sub": "acme-web"}),
        unsigned({"alg": "ES256"}, ["acme-web"]),
        jws.serialize_compact({"alg": "ES256", "kid": "first"}, b"[" * 3000, KEY),
        jws.serialize_compact({"alg": "ES256", "kid": "first"}, b"acme-web", KEY),
    ],
)
def test_what_the_application_did_not_sign_as_an_assertion_is_refused(web, sent):
    is_refused(web, sent)


def test_the_public_key_is_no_shared_secret(web):
    """The old trick: HS256 under the text of a key that everybody knows."""
    header, claims, _signature = assertion(header={"alg": "HS256"}, key=SHARED).split(".")
    shared = hmac.digest(KEY.as_pem(private=False), f"{header}.{claims}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(shared).decode().strip("=")

    is_refused(web, f"{header}.{claims}.{signature}")


def test_the_key_decides_about_the_algorithm_not_the_header(acme, web):
    web.jwks = registered(SECOND_KEY)

    is_refused(web, assertion(SECOND_KEY, {"alg": "PS256"}))
    prove(web, assertion(SECOND_KEY))


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-384", {"kid": "a"}),
        ECKey.generate_key("P-521", {"kid": "a"}),
        RSAKey.generate_key(2048, {"kid": "a", "alg": "PS256"}),
        OKPKey.generate_key("Ed25519", {"kid": "a"}),
    ],
)
def test_each_kind_of_key_verifies(web, key):
    web.jwks = registered(key)

    prove(web, assertion(key))


def test_of_several_keys_the_kid_names_one(web):
    web.jwks = registered(KEY, SECOND_KEY)

    is_refused(web, assertion(header={"kid": None}))
    is_refused(web, assertion(header={"kid": "third"}))
    is_refused(web, assertion(header={"kid": "second"}))
    prove(web, assertion(jti="a"))
    prove(web, assertion(SECOND_KEY, jti="b"))


def test_an_only_key_need_not_be_named_but_another_isnt_taken_for_it(web):
    is_refused(web, assertion(header={"kid": "third"}))

    prove(web, assertion(header={"kid": None}))


def test_an_assertion_is_good_once(web):
    sent = assertion()

    prove(web, sent)

    is_refused(web, sent)
    is_refused(web, assertion(exp=at(minutes=2)))
    assert ClientAssertion.objects.count() == 1


def test_a_replay_within_a_transaction_leaves_it_usable(web):
    prove(web, assertion())

    with transaction.atomic():
        is_refused(web, assertion())
        prove(web, assertion(jti="another"))

    assert ClientAssertion.objects.count() == 2


def test_two_applications_may_choose_the_same_jti(acme, web):
    other = builders.make_application(
        acme.pool,
        client_id="acme-machine",
        type="machine",
        client_authentication="private_key_jwt",
        jwks=registered(KEY),
    )

    prove(web, assertion())
    prove(other, assertion(iss="acme-machine", sub="acme-machine"))


def test_what_was_used_is_remembered_until_it_has_expired_for_sure(web):
    prove(web, assertion())

    row = ClientAssertion.objects.get()
    assert row.expires_at == NOW + timedelta(minutes=1, seconds=60)
    is_refused(web, assertion(), row.expires_at - timedelta(seconds=1))
    row.delete()
    is_refused(web, assertion(), row.expires_at)


@pytest.mark.parametrize("secret", [None, "", builders.CLIENT_SECRET])
def test_a_secret_is_nothing_where_a_key_is_asked_for(web, secret):
    builders.ClientSecret.for_application(web, builders.CLIENT_SECRET).save(force_insert=True)

    with pytest.raises(InvalidClient):
        authenticate_client(web, ClientCredentials("acme-web", secret), now=NOW)


def test_an_assertion_is_nothing_where_a_secret_is_asked_for(web):
    web.client_authentication = "client_secret"

    is_refused(web, assertion())


@pytest.mark.parametrize("jwks", [None, {}])
def test_an_application_without_keys_is_refused(web, jwks):
    web.jwks = jwks

    is_refused(web, assertion())


def test_another_pools_application_is_unknown(web, globex):
    client = read_credentials("", asserted(assertion()))

    with pytest.raises(InvalidClient):
        authenticated_application(globex.pool, client, now=NOW)

    assert authenticated_application(web.pool, client, now=NOW) == web


# What is read of a request


def asserted(sent, **others):
    return {"client_assertion_type": TYPE, "client_assertion": sent, **others}


@pytest.mark.parametrize(
    ("authorization", "secret"),
    [("", "a secret"), ("", ""), ("Basic YTpi", None), ("Basic ", None), ("Basic YTpi", "b")],
)
def test_two_proofs_in_one_request_are_refused(authorization, secret):
    fields = asserted(assertion(), client_id="acme-web")
    fields |= {} if secret is None else {"client_secret": secret}

    with pytest.raises(InvalidRequest) as refusal:
        read_credentials(authorization, fields)

    assert refusal.value.field == "client_assertion"


@pytest.mark.parametrize(
    ("type_", "sent", "field"),
    [
        (TYPE, None, "client_assertion"),
        (None, "a.b.c", "client_assertion_type"),
        ("", "a.b.c", "client_assertion_type"),
        ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "x", "client_assertion_type"),
    ],
)
def test_half_a_proof_is_told_the_field(type_, sent, field):
    fields = {"client_assertion_type": type_, "client_assertion": sent, "client_id": "acme-web"}

    with pytest.raises(InvalidRequest) as refusal:
        read_credentials("", {name: text for name, text in fields.items() if text is not None})

    assert refusal.value.field == field


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "a.b.c",
        "密钥",
        unsigned({"alg": "ES256"}, ["sub"]),
        unsigned({"alg": "ES256"}, {}),
        unsigned({"alg": "ES256"}, {"sub": None}),
        unsigned({"alg": "ES256"}, {"sub": ["acme-web"]}),
        unsigned({"alg": "ES256"}, {"sub": "x" * 65}),
        unsigned({"alg": "ES256"}, {"sub": "a\0"}),
        unsigned({"alg": "ES256"}, {"sub": "\ud800"}),
        unsigned({"alg": "ES256"}, {"sub": "acme-web\udfff"}),
        jws.serialize_compact({"alg": "ES256"}, b"[" * 3000, KEY),
    ],
)
def test_an_assertion_that_names_nobody_is_refused(sent):
    with pytest.raises(InvalidClient):
        read_credentials("", asserted(sent))


def test_an_assertion_names_the_application_by_itself():
    sent = assertion()

    assert read_credentials("", asserted(sent)) == ClientCredentials(
        "acme-web", unverified_assertion=sent
    )


def test_the_body_and_the_assertion_must_name_the_same(web):
    builders.make_application(web.pool, client_id="acme-other")
    client = read_credentials("", asserted(assertion(), client_id="acme-other"))

    assert client.unverified_client_id == "acme-other"
    web.client_id = "acme-other"
    with pytest.raises(InvalidClient):
        authenticate_client(web, client, now=NOW)


def test_an_assertion_is_not_shown_where_credentials_are_printed():
    assert "a.b.c" not in repr(ClientCredentials("acme-web", unverified_assertion="a.b.c"))

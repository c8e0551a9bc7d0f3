"""A pool's signing keys: made with it, encrypted at rest, published without their private part."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.db import IntegrityError, transaction
from django.db.models import F
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import ECKey, RSAKey

from config.kernel.encryption import DecryptionError
from tests.support import builders
from userpools.keys import active_key, generate_private_key, jwks, pool_keys
from userpools.models import SigningKey, UserPool
from userpools.pools import create_pool

pytestmark = pytest.mark.rsa

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
REQUIRED_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}


@pytest.fixture
def pool(db):
    return create_pool(identifier="fresh", name="Fresh")


def thumbprint(jwk: dict[str, str]) -> str:
    """RFC 7638 §3, written down again so that the library doesn't vouch for itself."""
    members = {name: jwk[name] for name in REQUIRED_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_no_private_member_is_published(pool):
    published = jwks(pool)

    assert len(published["keys"]) == 2
    assert not any(PRIVATE_MEMBERS & key.keys() for key in published["keys"])


def test_no_private_key_lies_in_the_row(pool):
    for row in SigningKey.objects.filter(pool=pool):
        private = json.loads(row.private_jwk())
        stored = bytes(row.private_jwk_ciphertext) + json.dumps(row.public_jwk).encode()

        assert "d" in private
        assert "d" not in row.public_jwk
        for secret in (private["d"], '"d"', base64.b64encode(private["d"].encode()).decode()):
            assert secret.encode() not in stored


def test_a_private_key_moved_to_another_pool_cant_be_read(pool, acme):
    stolen = SigningKey.objects.get(pool=pool, algorithm="ES256")
    other = SigningKey.objects.get(pool=acme.pool, algorithm="ES256")
    other.private_jwk_ciphertext = stolen.private_jwk_ciphertext

    with pytest.raises(DecryptionError):
        other.private_jwk()


def test_a_pool_signs_with_one_key_of_an_algorithm(pool):
    another = active_key(pool, "ES256", generate_private_key("ES256"))

    with pytest.raises(IntegrityError), transaction.atomic():
        another.save(force_insert=True)


def test_a_key_stands_once_in_a_pool(pool):
    row = SigningKey.objects.get(pool=pool, algorithm="ES256")

    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(
            pool=pool,
            kid=row.kid,
            algorithm="RS256",
            state="retired",
            public_jwk={},
            private_jwk_ciphertext=b"",
        )


def test_a_pool_is_made_with_a_key_of_each_algorithm(pool):
    rows = SigningKey.objects.filter(pool=pool).order_by("algorithm")

    assert [(row.algorithm, row.state) for row in rows] == [
        ("ES256", "active"),
        ("RS256", "active"),
    ]
    assert all(row.promoted_at and not row.retired_at for row in rows)


def test_a_kid_is_the_keys_thumbprint(pool):
    for row in SigningKey.objects.filter(pool=pool):
        assert row.kid == row.public_jwk["kid"] == thumbprint(row.public_jwk)


def test_the_keys_are_of_the_size_that_their_algorithm_wants(pool):
    private = {name: key.private_key for name, key in pool_keys(pool).signing.items()}

    assert isinstance(private["ES256"], ec.EllipticCurvePrivateKey)
    assert isinstance(private["ES256"].curve, ec.SECP256R1)
    assert isinstance(private["RS256"], rsa.RSAPrivateKey)
    assert private["RS256"].key_size >= 2048


def test_the_published_set_is_what_rfc_7517_wants(pool):
    published = {key["alg"]: key for key in jwks(pool)["keys"]}

    assert set(published) == {"ES256", "RS256"}
    assert set(published["ES256"]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert set(published["RS256"]) == {"kty", "n", "e", "kid", "alg", "use"}
    assert {key["use"] for key in published.values()} == {"sig"}


def test_pools_share_no_key(acme, globex):
    acmes, globexes = ({key["kid"] for key in jwks(one.pool)["keys"]} for one in (acme, globex))

    assert not acmes & globexes


def test_a_key_signs_what_its_public_part_verifies(pool):
    keys = pool_keys(pool)
    for algorithm, private in keys.signing.items():
        token = joserfc_jwt.encode({"alg": algorithm, "kid": private.kid}, {}, private)

        decoded = joserfc_jwt.decode(token, keys.public, algorithms=[algorithm])
        assert decoded.header["kid"] == private.kid


def test_keys_are_read_from_memory_while_the_version_stays(pool, django_assert_num_queries):
    pool_keys(pool)

    with django_assert_num_queries(0):
        pool_keys(pool)
        jwks(pool)


def test_a_new_version_makes_every_process_read_the_keys_again(pool):
    before = pool_keys(pool)
    _rotate(pool, "ES256")

    assert pool_keys(pool) is before
    UserPool.objects.filter(pk=pool.pk).update(signing_keys_version=F("signing_keys_version") + 1)
    pool.refresh_from_db()
    after = pool_keys(pool)

    assert after.signing["ES256"].kid != before.signing["ES256"].kid
    assert after.signing["RS256"].kid == before.signing["RS256"].kid


def test_a_retired_key_still_verifies_and_a_next_one_already_does(pool):
    retired = pool_keys(pool).signing["ES256"].kid
    active = _rotate(pool, "ES256")
    coming = active_key(pool, "ES256", generate_private_key("ES256"))
    coming.state = SigningKey.State.NEXT
    coming.save(force_insert=True)
    pool.signing_keys_version += 1

    keys = pool_keys(pool)

    assert keys.signing["ES256"].kid == active.kid
    assert {key["kid"] for key in jwks(pool)["keys"]} >= {retired, active.kid, coming.kid}
    assert keys.algorithms == {
        retired: "ES256",
        active.kid: "ES256",
        coming.kid: "ES256",
        keys.signing["RS256"].kid: "RS256",
    }


def test_keys_stay_readable_after_an_encryption_key_was_put_first(pool, settings):
    settings.ENCRYPTION_KEYS = (b"n" * 32, *settings.ENCRYPTION_KEYS)
    pool.signing_keys_version += 1

    assert set(pool_keys(pool).signing) == {"ES256", "RS256"}


@pytest.mark.parametrize(("algorithm", "kind"), [("ES256", ECKey), ("RS256", RSAKey)])
def test_a_key_pair_is_new_each_time(algorithm, kind):
    one, another = generate_private_key(algorithm), generate_private_key(algorithm)

    assert isinstance(one, kind)
    assert one.thumbprint() != another.thumbprint()


def test_the_builders_pools_have_keys_as_real_ones_do(acme, pool):
    assert set(pool_keys(acme.pool).signing) == set(pool_keys(pool).signing)
    assert builders.make_pool("another", rsa=True).signing_keys.count() == pool.signing_keys.count()


def _rotate(pool: UserPool, algorithm: str) -> SigningKey:
    SigningKey.objects.filter(pool=pool, algorithm=algorithm, state="active").update(
        state=SigningKey.State.RETIRED
    )
    row = active_key(pool, algorithm, generate_private_key(algorithm))
    row.save(force_insert=True)
    return row

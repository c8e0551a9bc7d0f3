"""A pool's signing keys: created with the pool, published as JWKs, cached decrypted in memory."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils import timezone
from joserfc.jwk import ECKey, KeySet, RSAKey

from userpools.models import SigningKey, UserPool

RSA_BITS = 2048  # RFC 7518 §3.3: at least this


@dataclass(frozen=True)
class PoolKeys:
    """The keys that sign and verify a pool's tokens."""

    signing: dict[str, ECKey | RSAKey]
    """algorithm → the active private key"""
    public: KeySet
    algorithms: dict[str, str]
    """kid → the one algorithm that this key may be used with"""


def pool_keys(pool: UserPool) -> PoolKeys:
    """Return the pool's keys, from memory until its ``signing_keys_version`` changes."""
    return _load(pool.pk, pool.signing_keys_version)


def jwks(pool: UserPool) -> dict[str, Any]:
    """Return the public keys as a JWK set (RFC 7517 §5): next, active and retired ones."""
    keys: dict[str, Any] = dict(pool_keys(pool).public.as_dict(private=False))
    return keys


def generate_private_key(algorithm: str) -> ECKey | RSAKey:
    """Generate a key pair for an algorithm: P-256 for ES256, RSA for RS256."""
    if algorithm == SigningKey.Algorithm.ES256:
        return ECKey.generate_key("P-256")
    return RSAKey.generate_key(RSA_BITS)


def active_key(pool: UserPool, algorithm: str, private: ECKey | RSAKey) -> SigningKey:
    """Return an unsaved row that makes this the pool's active key."""
    row = next_key(pool, algorithm, private)
    row.state = SigningKey.State.ACTIVE
    row.promoted_at = timezone.now()
    return row


def next_key(pool: UserPool, algorithm: str, private: ECKey | RSAKey) -> SigningKey:
    """Return an unsaved row that makes this the pool's next key: published, not signing yet."""
    kid = private.thumbprint()
    public = {**private.as_dict(private=False), "kid": kid, "alg": str(algorithm), "use": "sig"}
    row = SigningKey(
        pool=pool,
        kid=kid,
        algorithm=algorithm,
        state=SigningKey.State.NEXT,
        public_jwk=public,
    )
    row.set_private_jwk(json.dumps(private.as_dict(private=True)))
    return row


@lru_cache(maxsize=256)
def _load(pool_id: UUID, _version: int) -> PoolKeys:
    rows = list(SigningKey.objects.filter(pool_id=pool_id).order_by("created_at", "pk"))
    active = [row for row in rows if row.state == SigningKey.State.ACTIVE]
    return PoolKeys(
        signing={row.algorithm: _private_key(row) for row in active},
        public=KeySet.import_key_set({"keys": [row.public_jwk for row in rows]}),
        algorithms={row.kid: row.algorithm for row in rows},
    )


def _private_key(row: SigningKey) -> ECKey | RSAKey:
    kind = ECKey if row.algorithm == SigningKey.Algorithm.ES256 else RSAKey
    jwk = json.loads(row.private_jwk())
    return kind.import_key({**jwk, "kid": row.kid, "alg": row.algorithm, "use": "sig"})

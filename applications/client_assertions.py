"""``private_key_jwt``: an application authenticates by a JWT that it signed.

The rules are those of RFC 7523 §3 and OpenID Connect Core §9, in their strict form: an assertion is
valid for an hour at most, once, and its key determines the algorithm.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from applications.client_keys import algorithm_of, client_keys
from applications.models import Application, ClientAssertion
from config.kernel.database import save_unless_taken
from config.kernel.encryption import token_hash
from config.kernel.errors import InvalidClient
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH
from userpools.models import UserPool

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2

# How many seconds a client's clock may differ from ours.
_LEEWAY = timedelta(seconds=60)
# Authlib's lifetime; a replay is refused regardless of an assertion's lifetime.
_LIFETIME_MAX = timedelta(hours=1)
_JTI_MAX_LENGTH = 256
# JSON can hold half of a surrogate pair, which UTF-8 can't; PostgreSQL stores no NUL.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Libraries use the endpoint's URL instead of the issuer.
_ENDPOINTS = ("token", "par", "introspect", "revoke", "device_authorization")


def unverified_subject(unverified_assertion: str) -> str:
    """Return the client_id that an assertion names; nothing of it is verified yet.

    Raises:
        InvalidClient: it is no JWT, or names nothing that could be a client_id.

    """
    try:
        subject = json.loads(jws.extract_compact(unverified_assertion.encode()).payload)["sub"]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        raise InvalidClient from None
    if not isinstance(subject, str) or not _is_storable(subject, IDENTIFIER_MAX_LENGTH):
        raise InvalidClient
    return subject


def verify_assertion(application: Application, unverified_assertion: str, *, now: datetime) -> None:
    """Check that the application signed the assertion for this server, recently; use it up.

    Raises:
        InvalidClient: a check failed; the error doesn't tell which.

    """
    try:
        claims = _signed_claims(application, unverified_assertion)
        _rules_for(application, now).validate(claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidClient from None
    latest = int((now + _LIFETIME_MAX + _LEEWAY).timestamp())
    if claims["exp"] > latest or not _is_storable(claims["jti"], _JTI_MAX_LENGTH):
        raise InvalidClient
    _use_up(application, claims)


def _is_storable(text: str, longest: int) -> bool:
    return len(text) <= longest and not _UNSTORABLE.search(text)


def _signed_claims(application: Application, unverified_assertion: str) -> dict[str, Any]:
    header = jws.extract_compact(unverified_assertion.encode()).headers()
    key = _key_named(header, application)
    token = jwt.decode(unverified_assertion, key, algorithms=[algorithm_of(key)])
    return token.claims


def _key_named(unverified_header: dict[str, Any], application: Application) -> Key:
    if not application.jwks:
        raise InvalidClient
    keys = client_keys(application.jwks).keys
    kid = unverified_header.get("kid")
    if kid is None and len(keys) == 1:
        return keys[0]
    named = [key for key in keys if kid is not None and key.get("kid") == kid]
    if not named:
        raise InvalidClient
    return named[0]


def _rules_for(application: Application, now: datetime) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(_LEEWAY.total_seconds()),
        iss={"essential": True, "value": application.client_id},
        sub={"essential": True, "value": application.client_id},
        aud={"essential": True, "values": _audiences(application.pool)},
        exp={"essential": True},
        jti={"essential": True},
    )


def _audiences(pool: UserPool) -> list[str]:
    return [pool.issuer, *(f"{pool.issuer}/{endpoint}" for endpoint in _ENDPOINTS)]


def _use_up(application: Application, claims: dict[str, Any]) -> None:
    # The row is kept as long as the assertion could pass the other checks.
    expires_at = datetime.fromtimestamp(claims["exp"], UTC) + _LEEWAY
    used = ClientAssertion(
        application=application, jti_hash=token_hash(claims["jti"]), expires_at=expires_at
    )
    if not save_unless_taken(used, "applications_clientassertion_once", force_insert=True):
        raise InvalidClient

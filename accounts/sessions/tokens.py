"""Making tokens: a signed access token and ID token, and an opaque refresh token.

Access token: RFC 9068. ID token: OpenID Connect Core §2. Both are signed with the pool's active
key for the application's algorithm.
"""

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import Key

from accounts.models import RefreshToken, Session, User
from accounts.sessions import scopes
from applications.models import Application
from config.kernel.encryption import new_token, token_hash
from config.kernel.primary_keys import new_id
from userpools.keys import pool_keys

HALF_OF_SHA256 = 16
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - the header's typ, by RFC 9068 §2.1
ID_TOKEN_TYPE = "JWT"  # noqa: S105


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """The tokens of one answer; ``as_answer`` has the names of RFC 6749 §5.1.

    ``rows`` has the refresh token's new row, if there is one: the caller stores it.
    """

    access_token: str = field(repr=False)
    access_token_claims: dict[str, Any]
    key: Key = field(repr=False)
    """the key that signed both JWTs"""
    expires_in: int
    scope: tuple[str, ...]
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    id_token_claims: tuple[str, ...]
    """the names of its claims"""
    rows: tuple[RefreshToken, ...] = field(repr=False)

    def as_answer(self) -> dict[str, Any]:
        """Return the fields of a token endpoint's answer, without tokens that weren't made."""
        answer = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "refresh_token": self.refresh_token,
            "id_token": self.id_token,
            "scope": " ".join(self.scope),
        }
        return {name: value for name, value in answer.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Family:
    """The properties that all refresh tokens of one family share."""

    id: uuid.UUID
    scope: tuple[str, ...]
    expires_at: datetime
    stored_token: str | None = field(default=None, repr=False)
    """a token that is stored already, to be given instead of a new one"""


def issue_tokens(
    session: Session,
    scope: tuple[str, ...],
    *,
    now: datetime,
    family_id: uuid.UUID | None = None,
    nonce: str = "",
) -> TokenSet:
    """Make the tokens of a new login; the refresh token begins a new family."""
    application = session.application
    family = Family(
        id=family_id or new_id(),
        scope=scope,
        expires_at=now + application.refresh_token_absolute_lifetime,
    )
    return renew_tokens(session, family, scope, now=now, nonce=nonce)


def renew_tokens(
    session: Session,
    family: Family,
    scope: tuple[str, ...],
    *,
    now: datetime,
    nonce: str = "",
) -> TokenSet:
    """Make tokens of a running session; the refresh token continues the family."""
    key, claims = _signing_key(session.application), _common_claims(session, now)
    access_claims = claims | _of_access_token(session, scope, claims["iss"])
    access_token = _sign(key, access_claims, kind=ACCESS_TOKEN_TYPE)
    id_claims: dict[str, Any] = {}
    if scopes.OPENID in scope:
        id_claims = claims | _of_id_token(session, scope, access_token, nonce)
    is_new = scopes.OFFLINE_ACCESS in family.scope and not family.stored_token
    refresh_token = new_token() if is_new else family.stored_token
    return TokenSet(
        access_token=access_token,
        access_token_claims=access_claims,
        key=key,
        expires_in=claims["exp"] - claims["iat"],
        scope=scope,
        refresh_token=refresh_token,
        id_token=_sign(key, id_claims, kind=ID_TOKEN_TYPE) if id_claims else None,
        id_token_claims=tuple(id_claims),
        rows=(_row(session, family, refresh_token, now),) if refresh_token and is_new else (),
    )


def machine_token(application: Application, *, now: datetime) -> dict[str, Any]:
    """Return the token endpoint's answer to an application that acts for itself.

    The access token has neither ``sid`` nor scope, so it gives no access to a person's data
    (RFC 6749 §4.4, RFC 9068 §2.2).
    """
    pool = application.pool
    claims = {
        "iss": pool.issuer,
        "sub": application.client_id,
        "aud": [application.client_id, pool.issuer],
        "client_id": application.client_id,
        "jti": str(new_id()),
        "iat": int(now.timestamp()),
        "exp": int((now + application.access_token_lifetime).timestamp()),
    }
    return {
        "access_token": sign(application, claims, kind=ACCESS_TOKEN_TYPE),
        "token_type": "Bearer",
        "expires_in": int(application.access_token_lifetime.total_seconds()),
    }


def sign(application: Application, claims: dict[str, Any], *, kind: str) -> str:
    """Sign claims with the pool's key for the application's algorithm; ``kind`` is the ``typ``."""
    return _sign(_signing_key(application), claims, kind=kind)


def user_claims(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return the claims about a user for these scopes (OpenID Connect Core §5.1, §5.4)."""
    claims: dict[str, Any] = {"sub": user.sub}
    if scopes.PROFILE in scope:
        claims["updated_at"] = int(user.updated_at.timestamp())
        claims |= {"nickname": user.nickname} if user.nickname else {}
        claims |= {"picture": user.avatar_url} if user.avatar_url else {}
    if scopes.PHONE in scope and user.phone_number:
        claims["phone_number"] = user.phone_number
        claims["phone_number_verified"] = user.phone_number_verified_at is not None
    if scopes.EMAIL in scope and user.email:
        claims["email"] = user.email
        claims["email_verified"] = user.email_verified_at is not None
    return claims


def _signing_key(application: Application) -> Key:
    return pool_keys(application.pool).signing[application.signing_algorithm]


def _sign(key: Key, claims: dict[str, Any], *, kind: str) -> str:
    # The algorithm belongs to the key.
    algorithm = str(key.alg)
    header = {"alg": algorithm, "kid": key.kid, "typ": kind}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def _of_access_token(session: Session, scope: tuple[str, ...], issuer: str) -> dict[str, Any]:
    client_id = session.application.client_id
    return {
        "sub": session.user.sub,
        "aud": [client_id, issuer],
        "client_id": client_id,
        "scope": " ".join(scope),
        "jti": str(new_id()),
    }


def _of_id_token(
    session: Session, scope: tuple[str, ...], access_token: str, nonce: str
) -> dict[str, Any]:
    claims = {
        **user_claims(session.user, scope),
        "aud": session.application.client_id,
        "at_hash": _at_hash(access_token),
    }
    return claims | ({"nonce": nonce} if nonce else {})


def _common_claims(session: Session, now: datetime) -> dict[str, Any]:
    return {
        "iss": session.pool.issuer,
        "sid": str(session.pk),
        "auth_time": int(session.auth_time.timestamp()),
        "iat": int(now.timestamp()),
        "exp": int((now + session.application.access_token_lifetime).timestamp()),
    }


def _at_hash(access_token: str) -> str:
    """Return ``at_hash`` for an ID token (OpenID Connect Core §3.1.3.6; always SHA-256 here)."""
    left_half = hashlib.sha256(access_token.encode("ascii")).digest()[:HALF_OF_SHA256]
    return base64.urlsafe_b64encode(left_half).rstrip(b"=").decode()


def _row(session: Session, family: Family, token: str, now: datetime) -> RefreshToken:
    idle_limit = now + session.application.refresh_token_idle_lifetime
    return RefreshToken(
        pool_id=session.pool_id,
        session=session,
        family=family.id,
        token_hash=token_hash(token),
        scope=" ".join(family.scope),
        created_at=now,
        expires_at=min(idle_limit, family.expires_at),
        family_expires_at=family.expires_at,
    )

"""Checking an access token: first its signature, then its session, user and application.

A valid signature isn't enough: since then the session may have ended, the user may have been
suspended, or the application disabled. One query checks the first two; the application comes from
memory (applications/offers.py).
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from accounts.models import Session, User
from accounts.refusals import InvalidToken, merged_hint
from accounts.sessions.tokens import ACCESS_TOKEN_TYPE
from applications.models import Application
from applications.offers import known_application, still_offers
from config.kernel.errors import DomainError, InvalidClient
from config.kernel.rows import Joined, uuid_parameter
from userpools.keys import PoolKeys, pool_keys
from userpools.models import UserPool
from userpools.pools import pool_of_issuer


class NoToken(InvalidToken):
    """The request has no token; the challenge then has no error code (RFC 6750 §3.1)."""

    challenge = "Bearer"


class LoginTooOld(DomainError):
    """The request needs a recent login (RFC 9470 §3)."""

    code = "insufficient_user_authentication"
    status = HTTPStatus.UNAUTHORIZED
    description = (
        "This needs a login within the last 5 minutes. Have the person log in again and use the "
        "new access token."
    )
    challenge = 'Bearer error="insufficient_user_authentication", max_age="300"'


class InsufficientScope(DomainError):
    """The access token doesn't have the scope that the endpoint needs (RFC 6750 §3.1)."""

    code = "insufficient_scope"
    status = HTTPStatus.FORBIDDEN
    challenge = 'Bearer error="insufficient_scope"'


RECENT = timedelta(minutes=5)
CLOCK_LEEWAY = 30
"""seconds by which the clock of the node that signed a token may be ahead of this one's"""

_FOUND = Joined(session=Session, person=User)
_FIND = (
    f"SELECT {_FOUND.sql} FROM accounts_session session"  # noqa: S608 - names of columns
    " JOIN accounts_user person ON person.id = session.user_id"
    " WHERE session.id = %s AND session.pool_id = %s"
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """A verified access token: its session and its scopes."""

    session: Session
    scope: tuple[str, ...]

    @property
    def user(self) -> User:
        return self.session.user

    def require(self, scope: str) -> None:
        """Refuse a token without this scope.

        Raises:
            InsufficientScope: it lacks the scope.

        """
        if scope not in self.scope:
            raise InsufficientScope(f"This needs an access token with the scope {scope}.")

    def require_recent_login(self, *, now: datetime) -> None:
        """Refuse a token whose login is older than 5 minutes, since it may have been stolen.

        Raises:
            LoginTooOld: the login is older.

        """
        if now - self.session.auth_time > RECENT:
            raise LoginTooOld


def verify_access_token(
    authorization: str, *, now: datetime, pool: UserPool | None = None
) -> Access:
    """Check the header ``Authorization: Bearer …`` of a request, in the given pool or in any.

    Raises:
        InvalidToken: the token, its session, its user or its application doesn't allow it.

    """
    if not authorization:
        raise NoToken
    scheme, _, unverified_token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken
    pool = pool or pool_of_issuer(_unverified_issuer(unverified_token.strip()))
    if pool is None:
        raise InvalidToken
    claims = verified_claims(unverified_token.strip(), pool, now=now)
    return access_of(claims, pool)


def access_of(claims: dict[str, Any], pool: UserPool) -> Access:
    """Return the access that verified claims give now.

    Raises:
        InvalidToken: they belong to a machine, or the session, its user or its application doesn't
            allow it.

    """
    if not all(isinstance(claims.get(name), str) for name in ("sid", "client_id", "scope")):
        raise InvalidToken
    return Access(session=_running_session(claims, pool), scope=tuple(claims["scope"].split()))


def _unverified_issuer(unverified_token: str) -> str:
    try:
        payload = json.loads(jws.extract_compact(unverified_token.encode()).payload)
        return str(payload["iss"])
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        raise InvalidToken from None


def verified_claims(unverified_token: str, pool: UserPool, *, now: datetime) -> dict[str, Any]:
    """Return the claims of an unexpired access token of the pool, after checking its signature.

    The caller checks the session, the user and the application.

    Raises:
        InvalidToken: it isn't such a token.

    """
    try:
        header = jws.extract_compact(unverified_token.encode()).headers()
        key, algorithm = key_named(header, pool_keys(pool))
        token = jwt.decode(unverified_token, key, algorithms=[algorithm])
        _rules_of(pool, now).validate(token.claims)
        # The leeway is for what begins, not for what ends.
        if token.claims["exp"] <= int(now.timestamp()):
            raise InvalidToken
    except (JoseError, LookupError, ValueError, TypeError):
        raise InvalidToken from None
    if token.header.get("typ") != ACCESS_TOKEN_TYPE or not isinstance(token.claims["sub"], str):
        # An ID token of the same pool isn't an access token (RFC 9068 §4).
        raise InvalidToken
    return token.claims


def key_named(unverified_header: dict[str, Any], keys: PoolKeys) -> tuple[Key, str]:
    """Return the pool's key that a token's header names, and the only algorithm of this key.

    The algorithm comes from the key, never from the token's header (RFC 8725 §3.1).

    Raises:
        LookupError: the pool has no such key.

    """
    kid = unverified_header.get("kid")
    if not isinstance(kid, str) or kid not in keys.algorithms:
        raise LookupError
    return keys.public.get_by_kid(kid), keys.algorithms[kid]


def _rules_of(pool: UserPool, now: datetime) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=CLOCK_LEEWAY,
        iss={"essential": True, "value": pool.issuer},
        aud={"essential": True, "value": pool.issuer},
        exp={"essential": True},
        sub={"essential": True},
    )


def _running_session(claims: dict[str, Any], pool: UserPool) -> Session:
    try:
        session_id = uuid.UUID(claims["sid"])
    except ValueError:
        raise InvalidToken from None
    application = _application(claims["client_id"])
    found = _FOUND.one(_FIND, [uuid_parameter(session_id), uuid_parameter(pool.pk)])
    if found is None:
        raise InvalidToken
    session, user = cast(tuple[Session, User], found)
    if user.status == User.Status.MERGED:
        raise InvalidToken(**merged_hint(user))
    is_running = session.ended_at is None and user.status == User.Status.ACTIVE
    is_named = (session.application_id, user.sub) == (application.pk, claims["sub"])
    if not (is_running and is_named and application.enabled):
        raise InvalidToken
    session.pool, session.user, session.application = pool, user, application
    return session


def _application(client_id: str) -> Application:
    try:
        return known_application(client_id).application
    except InvalidClient:
        raise InvalidToken from None


def is_current(session: Session) -> bool:
    """Return whether a session may give new tokens; its user and application must be loaded."""
    return (
        session.ended_at is None
        and session.user.status == User.Status.ACTIVE
        and session.application.enabled
        and still_offers(session.application, session.identity_source_id, session.way)
    )

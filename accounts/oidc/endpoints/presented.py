"""Finding a presented token: an access token, a machine's access token or a refresh token."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.models import RefreshToken, RevokedAccessToken
from accounts.oidc.server import Client
from accounts.refusals import InvalidToken
from accounts.sessions.access import access_of, is_current, verified_claims
from applications.offers import known_application
from applications.rules import ApplicationType
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash
from config.kernel.errors import InvalidClient
from userpools.models import UserPool


@dataclass(frozen=True, kw_only=True)
class PresentedToken:
    """A token of the pool, with the interface that Authlib expects; ``row``: a refresh token."""

    client_id: str
    claims: dict[str, Any] = field(repr=False)
    is_active: bool
    row: RefreshToken | None = None

    def check_client(self, client: Client) -> bool:
        return self.client_id == client.get_client_id()

    def is_expired(self) -> bool:
        return not self.is_active

    def is_revoked(self) -> bool:
        return not self.is_active


def find_token(pool: UserPool, unverified_token: str, *, now: datetime) -> PresentedToken | None:
    """Return the token; None for one that the pool didn't issue, or an expired access token."""
    try:
        claims = verified_claims(unverified_token, pool, now=now)
    except InvalidToken:
        return _refresh_token(pool, unverified_token, now)
    is_active = _is_person(claims, pool) if "sid" in claims else _is_machine(claims, pool)
    return PresentedToken(client_id=claims["client_id"], claims=claims, is_active=is_active)


def _is_person(claims: dict[str, Any], pool: UserPool) -> bool:
    try:
        access_of(claims, pool)
    except InvalidToken:
        return False
    return True


def _is_machine(claims: dict[str, Any], pool: UserPool) -> bool:
    try:
        machine = known_application(claims["client_id"]).application
    except InvalidClient:
        return False
    if (machine.pool_id, machine.type) != (pool.pk, ApplicationType.MACHINE) or not machine.enabled:
        return False
    return not RevokedAccessToken.objects.filter(pool=pool, jti=UUID(claims["jti"])).exists()


def _refresh_token(pool: UserPool, unverified_token: str, now: datetime) -> PresentedToken | None:
    row = one_or_none(
        RefreshToken.objects.select_related("session__user", "session__application").filter(
            pool=pool, token_hash=token_hash(unverified_token)
        )
    )
    if row is None:
        return None
    is_unspent = row.used_at is None and row.revoked_at is None and row.expires_at > now
    application = row.session.application
    claims = {
        "iss": pool.issuer,
        "sub": row.session.user.sub,
        "client_id": application.client_id,
        "scope": row.scope,
        "iat": _seconds(row.created_at),
        "exp": _seconds(row.expires_at),
    }
    return PresentedToken(
        client_id=application.client_id,
        claims=claims,
        is_active=is_unspent and is_current(row.session),
        row=row,
    )


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())

"""The revocation endpoint: a client revokes a token that it no longer needs (RFC 7009)."""

from datetime import UTC, datetime
from uuid import UUID

from authlib.oauth2.rfc7009 import RevocationEndpoint as Endpoint

from accounts.models import RevokedAccessToken, Session
from accounts.oidc.endpoints.presented import PresentedToken, find_token
from accounts.oidc.server import PoolServer, ProtocolRequest
from accounts.sessions.ending import revoke_family


class RevocationEndpoint(Endpoint):
    """Revokes a refresh token's family, an access token's session, or a machine's token."""

    server: PoolServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> PresentedToken | None:
        return find_token(self.server.pool, token_string, now=self.server.now)

    def revoke_token(self, token: PresentedToken, request: ProtocolRequest) -> None:
        pool, now = self.server.pool, self.server.now
        reason = Session.EndReason.TOKEN_REVOKED
        if token.row:
            revoke_family(token.row, now=now, reason=reason)
        elif "sid" in token.claims:
            sessions = Session.objects.filter(pool=pool, pk=UUID(token.claims["sid"]))
            sessions.end(now=now, reason=reason)
        else:
            RevokedAccessToken.objects.get_or_create(
                pool=pool,
                jti=UUID(token.claims["jti"]),
                defaults={"expires_at": datetime.fromtimestamp(token.claims["exp"], UTC)},
            )

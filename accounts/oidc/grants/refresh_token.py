"""Refreshing: a refresh token works once; a second use ends the session (RFC 9700 §4.14.2)."""

from typing import Any

from authlib.oauth2.rfc6749 import grants
from django.db import transaction

from accounts.models import RefreshToken, Session, User
from accounts.oidc.oauth_errors import InvalidRefreshToken
from accounts.oidc.server import Client, PoolServer
from accounts.refusals import merged_hint
from accounts.sessions.access import is_current
from accounts.sessions.ending import end_reused
from accounts.sessions.scopes import narrowed_scopes
from accounts.sessions.tokens import Family, renew_tokens
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash
from config.kernel.rows import insert


class StoredToken:
    """A stored refresh token, with the interface that Authlib expects."""

    def __init__(self, row: RefreshToken) -> None:
        self.row = row

    def get_scope(self) -> str:
        return self.row.scope

    def check_client(self, client: Client) -> bool:
        if self.row.session.application_id != client.application.pk:
            return False
        self.row.session.application = client.application
        return True


class RefreshTokenGrant(grants.RefreshTokenGrant):
    """RFC 6749 §6, with a new refresh token each time."""

    server: PoolServer

    def authenticate_refresh_token(self, refresh_token: str) -> StoredToken:
        """Return the token, used or not.

        Raises:
            InvalidRefreshToken: the pool has no such token.

        """
        row = one_or_none(
            RefreshToken.objects.select_related("session__user").filter(
                pool=self.server.pool, token_hash=token_hash(refresh_token)
            )
        )
        if row is None:
            raise InvalidRefreshToken
        row.session.pool = self.server.pool
        return StoredToken(row)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Spend the token and return the next tokens of its family.

        Raises:
            InvalidRefreshToken: it is used, expired or revoked, or its session, user,
                application or login method no longer allows it.
            InvalidScope: the request asks for more than was granted.

        """
        row, now = self.request.refresh_token.row, self.server.now
        granted = tuple(row.scope.split())
        wanted = narrowed_scopes(self.request.payload.scope, granted)
        _refuse_unless_current(row.session)
        with transaction.atomic():
            if RefreshToken.objects.filter(pk=row.pk).unspent(now).update(used_at=now):
                family = Family(id=row.family, scope=granted, expires_at=row.family_expires_at)
                tokens = renew_tokens(row.session, family, wanted, now=now)
                insert(*tokens.rows)
                return 200, tokens.as_answer(), self.TOKEN_RESPONSE_HEADER
        self._end_if_reused(row)
        raise InvalidRefreshToken

    def _end_if_reused(self, row: RefreshToken) -> None:
        row.refresh_from_db(fields=["used_at", "revoked_at"])
        if row.used_at is None or row.revoked_at is not None:
            return
        family = RefreshToken.objects.filter(pool=row.pool_id, family=row.family)
        reason = Session.EndReason.REFRESH_TOKEN_REUSED
        end_reused(row.session, family, now=self.server.now, reason=reason)


def _refuse_unless_current(session: Session) -> None:
    if session.user.status == User.Status.MERGED:
        raise InvalidRefreshToken(**merged_hint(session.user))
    if not is_current(session):
        raise InvalidRefreshToken

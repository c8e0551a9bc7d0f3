"""Refreshing: a refresh token works once; a second use ends the session (RFC 9700 §4.14.2).

A client whose answer was lost sends its token again, and so do two tabs of one browser. For the
application's leeway they get the same successor again, as long as it is unused. Meanwhile it is
stored encrypted with the used token, of which the database has only the hash.
"""

from dataclasses import replace
from datetime import timedelta
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
from accounts.sessions.tokens import Family, TokenSet, renew_tokens
from accounts.sweeping import Sweeper
from config.kernel.database import one_or_none
from config.kernel.encryption import DecryptionError, seal_under, token_hash, unseal_under
from config.kernel.rows import insert

_SUCCESSOR = "successor of a refresh token"
sweeper = Sweeper(every=timedelta(seconds=30))


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
        # Before the token is used up: what fails here costs nobody a token.
        outdated = RefreshToken.objects.with_outdated_successor(now)
        sweeper.clear_if_due(outdated, "successor_ciphertext")
        family = Family(id=row.family, scope=granted, expires_at=row.family_expires_at)
        tokens = self._rotated(row, family, wanted) or self._repeated(row, family, wanted)
        if tokens is None:
            self._end_if_reused(row)
            raise InvalidRefreshToken
        return 200, tokens.as_answer(), self.TOKEN_RESPONSE_HEADER

    def _rotated(
        self, row: RefreshToken, family: Family, scope: tuple[str, ...]
    ) -> TokenSet | None:
        """Use the token up, and store and return the next; None if it can't be used."""
        now = self.server.now
        if row.used_at is not None:
            return None
        tokens = renew_tokens(row.session, family, scope, now=now)
        spent: dict[str, Any] = {"used_at": now}
        if tokens.refresh_token and row.session.application.refresh_leeway:
            sealed = seal_under(self._presented, _SUCCESSOR, tokens.refresh_token)
            spent["successor_ciphertext"] = sealed
        with transaction.atomic():
            if not RefreshToken.objects.filter(pk=row.pk).unspent(now).update(**spent):
                return None
            insert(*tokens.rows)
        return tokens

    def _repeated(
        self, row: RefreshToken, family: Family, scope: tuple[str, ...]
    ) -> TokenSet | None:
        """Return the successor of a used token again; None if the use counts as reuse."""
        successor = self._unused_successor(row)
        if successor is None:
            return None
        family = replace(family, stored_token=successor)
        return renew_tokens(row.session, family, scope, now=self.server.now)

    def _unused_successor(self, row: RefreshToken) -> str | None:
        now, leeway = self.server.now, timedelta(seconds=row.session.application.refresh_leeway)
        running = Session.objects.filter(pk=row.session_id, ended_at__isnull=True)
        with transaction.atomic():
            # Whoever ends the session locks it as well, so that its end comes before or after this.
            if one_or_none(running.select_for_update(no_key=True)) is None:
                return None
            row.refresh_from_db(fields=["used_at", "revoked_at", "successor_ciphertext"])
            if row.used_at is None or row.revoked_at is not None or now - row.used_at > leeway:
                return None
            if row.successor_ciphertext is None:
                return None
            try:
                sealed = bytes(row.successor_ciphertext)
                successor = unseal_under(self._presented, _SUCCESSOR, sealed)
            except DecryptionError:
                return None
            unused = RefreshToken.objects.filter(token_hash=token_hash(successor)).unspent(now)
            return successor if unused.exists() else None

    @property
    def _presented(self) -> str:
        token: str = self.request.form["refresh_token"]
        return token

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

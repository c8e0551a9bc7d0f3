"""Tokens for an authorization code, once; a second use revokes the tokens of the first."""

import hmac
from typing import Any

from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge
from django.db import transaction

from accounts.models import AuthorizationCode, RefreshToken, Session, User
from accounts.oidc.oauth_errors import InvalidAuthorizationCode
from accounts.oidc.server import Client, PoolServer
from accounts.sessions.access import is_current
from accounts.sessions.ending import end_reused
from accounts.sessions.tokens import issue_tokens
from config.kernel.encryption import token_hash
from config.kernel.rows import Joined, insert, use_up, uuid_parameter

_FOUND = Joined(code=AuthorizationCode, session=Session, person=User)
_FIND = (
    f"SELECT {_FOUND.sql} FROM accounts_authorizationcode code"  # noqa: S608 - names of columns
    " JOIN accounts_session session ON session.id = code.session_id"
    " JOIN accounts_user person ON person.id = session.user_id"
    " WHERE code.code_hash = %s AND code.pool_id = %s"
)


class StoredCode:
    """A stored code, with the interface that Authlib expects."""

    code_challenge_method = "S256"

    def __init__(self, row: AuthorizationCode) -> None:
        self.row = row
        self.code_challenge = row.code_challenge

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scope


def is_s256(verifier: str, challenge: str) -> bool:
    """Return whether the challenge was made from this verifier (RFC 7636 §4.6)."""
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)


class S256(CodeChallenge):
    """PKCE with S256 only: ``plain`` doesn't help if the request was read (RFC 9700 §2.1.1).

    The authorization endpoint decides, per application, whether a challenge is required.
    """

    CODE_CHALLENGE_METHODS = {"S256": is_s256}


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    """RFC 6749 §4.1.3. Codes are made by accounts/oidc/authorization."""

    server: PoolServer

    def query_authorization_code(self, code: str, client: Client) -> StoredCode:
        """Return the code, if this application may use it.

        Raises:
            InvalidAuthorizationCode: it is unknown, expired or used; if it was used, its tokens
                are revoked.

        """
        found = _FOUND.one(_FIND, [token_hash(code), uuid_parameter(self.server.pool.pk)])
        if found is None:
            raise InvalidAuthorizationCode
        row, session, user = found
        if session.application_id != client.application.pk:
            raise InvalidAuthorizationCode
        session.pool, session.user, session.application = self.server.pool, user, client.application
        row.session = session
        if row.used_at is not None:
            self._end_reused(row)
            raise InvalidAuthorizationCode
        if row.expires_at <= self.server.now or not is_current(row.session):
            raise InvalidAuthorizationCode
        return StoredCode(row)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Spend the code and make its tokens.

        Raises:
            InvalidAuthorizationCode: another request used it first.

        """
        row, now = self.request.authorization_code.row, self.server.now
        with transaction.atomic():
            if use_up(row, "used_at", now):
                scope = tuple(row.scope.split())
                tokens = issue_tokens(
                    row.session, scope, now=now, family_id=row.family, nonce=row.nonce
                )
                insert(*tokens.rows)
                return 200, tokens.as_answer(), self.TOKEN_RESPONSE_HEADER
        self._end_reused(row)
        raise InvalidAuthorizationCode

    def _end_reused(self, row: AuthorizationCode) -> None:
        # Another party has the code, and it is unknown which one used it first (RFC 6749 §4.1.2).
        tokens = RefreshToken.objects.filter(pool=row.pool_id, family=row.family)
        end_reused(row.session, tokens, now=self.server.now, reason=Session.EndReason.CODE_REUSED)

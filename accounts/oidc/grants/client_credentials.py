"""Tokens for a machine application, without a user or session."""

from typing import Any

from authlib.oauth2.rfc6749 import grants

from accounts.oidc.server import PoolServer
from accounts.sessions.scopes import InvalidScope
from accounts.sessions.tokens import machine_token
from applications.offers import refuse_disabled


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """RFC 6749 §4.4. The token names the application itself and gives no access to user data."""

    server: PoolServer

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Make the token.

        Raises:
            ApplicationDisabled: an operator disabled the application.
            InvalidScope: a scope was requested; all scopes are about a person.

        """
        refuse_disabled(self.client.application)
        if self.request.payload.scope:
            raise InvalidScope("scope: a machine's token has none, since they are about people.")
        token = machine_token(self.client.application, now=self.server.now)
        return 200, token, self.TOKEN_RESPONSE_HEADER

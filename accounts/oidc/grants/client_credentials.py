"""Tokens for a machine, which is nobody's session."""

from typing import Any

from authlib.oauth2.rfc6749 import grants

from accounts.oidc.server import PoolServer
from accounts.sessions.scopes import InvalidScope
from accounts.sessions.tokens import machine_token
from applications.offers import refuse_disabled


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """RFC 6749 §4.4. The token names the application itself, and opens nothing of a person's."""

    server: PoolServer

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Make the token.

        Raises:
            ApplicationDisabled: an operator switched the application off.
            InvalidScope: a scope was asked for; those that exist are about a person.

        """
        refuse_disabled(self.client.application)
        if self.request.payload.scope:
            raise InvalidScope("scope: a machine's token has none, since they are about people.")
        token = machine_token(self.client.application, now=self.server.now)
        return 200, token, self.TOKEN_RESPONSE_HEADER

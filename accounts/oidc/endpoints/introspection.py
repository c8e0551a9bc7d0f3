"""The introspection endpoint: whether a token is active now (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint as Endpoint

from accounts.oidc.endpoints.presented import PresentedToken, find_token
from accounts.oidc.server import Client, PoolServer, ProtocolRequest
from applications.models import Application
from applications.offers import refuse_disabled
from config.kernel.errors import InvalidClient


class IntrospectionEndpoint(Endpoint):
    """Only confidential applications may ask, since a public one can't authenticate.

    The operator's own applications may ask about every token of the pool. An application that
    requires consent is a third party's, and may ask only about tokens that were issued to it.
    """

    server: PoolServer

    def authenticate_endpoint_client(self, request: ProtocolRequest) -> Client:
        """Return the client that asks.

        Raises:
            InvalidClient: it is public, or its credentials are wrong (RFC 7662 §2.1).
            ApplicationDisabled: an operator disabled the application.

        """
        client: Client = super().authenticate_endpoint_client(request)
        if client.application.client_authentication == Application.ClientAuthentication.NONE:
            raise InvalidClient
        refuse_disabled(client.application)
        return client

    def check_permission(
        self, token: PresentedToken, client: Client, request: ProtocolRequest
    ) -> bool:
        """Return whether the client may see this token; if not, the answer is inactive."""
        return not client.application.requires_consent or token.check_client(client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> PresentedToken | None:
        return find_token(self.server.pool, token_string, now=self.server.now)

    def introspect_token(self, token: PresentedToken) -> dict[str, Any]:
        kind = {} if token.row else {"token_type": "Bearer"}
        return {"active": True, **kind, **token.claims}

"""What a token is worth now, for those who were handed it (RFC 7662)."""

from typing import Any

from authlib.oauth2.rfc7662 import IntrospectionEndpoint as Endpoint

from accounts.oidc.endpoints.presented import PresentedToken, find_token
from accounts.oidc.server import Client, PoolServer, ProtocolRequest
from applications.models import Application
from applications.offers import refuse_disabled
from config.kernel.errors import InvalidClient


class IntrospectionEndpoint(Endpoint):
    """An application that proves itself may ask; a public one proves nothing and may not.

    The operator's own may ask about every token of the pool. One that asks people for consent is
    somebody else's, and may ask about those that were issued to it.
    """

    server: PoolServer

    def authenticate_endpoint_client(self, request: ProtocolRequest) -> Client:
        """Return who asks.

        Raises:
            InvalidClient: it isn't proven (RFC 7662 §2.1).
            ApplicationDisabled: an operator switched it off.

        """
        client: Client = super().authenticate_endpoint_client(request)
        if client.application.client_authentication == Application.ClientAuthentication.NONE:
            raise InvalidClient
        refuse_disabled(client.application)
        return client

    def check_permission(
        self, token: PresentedToken, client: Client, request: ProtocolRequest
    ) -> bool:
        """Tell whether it may know of this token; else the token is as good as inactive."""
        return not client.application.requires_consent or token.check_client(client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> PresentedToken | None:
        return find_token(self.server.pool, token_string, now=self.server.now)

    def introspect_token(self, token: PresentedToken) -> dict[str, Any]:
        kind = {} if token.row else {"token_type": "Bearer"}
        return {"active": True, **kind, **token.claims}

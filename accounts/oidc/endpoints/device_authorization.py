"""A device without a browser asks for its two codes (RFC 8628 §3.1)."""

from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import UnauthorizedClientError
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint as Endpoint
from django.conf import settings

from accounts.models import DeviceAuthorization
from accounts.oidc.scopes import requested_scopes
from accounts.oidc.server import DEVICE_CODE, Client, PoolServer, ProtocolRequest
from applications.offers import refuse_disabled
from config.encryption import keyed_hash, token_hash
from userpools.models import UserPool


class DeviceAuthorizationEndpoint(Endpoint):
    """RFC 8628 §3.1. The codes are stored as hashes, the short one under a key of its own."""

    EXPIRES_IN = 600
    server: PoolServer

    def authenticate_client(self, request: ProtocolRequest) -> Client:
        """Return whose device it is.

        Raises:
            InvalidClient: it isn't proven.
            ApplicationDisabled: an operator switched it off.
            UnauthorizedClientError: the application has no device flow.

        """
        client: Client = super().authenticate_client(request)
        refuse_disabled(client.application)
        if not client.check_grant_type(DEVICE_CODE):
            raise UnauthorizedClientError("The device flow isn't switched on for this application.")
        self.application = client.application
        return client

    def get_verification_uri(self) -> str:
        return verification_uri(self.server.pool)

    def save_device_credential(self, client_id: str, scope: str, data: dict[str, Any]) -> None:
        granted = requested_scopes(scope or None, self.application.type)
        DeviceAuthorization.objects.create(
            pool=self.server.pool,
            application=self.application,
            device_code_hash=token_hash(data["device_code"]),
            user_code_hash=user_code_hash(self.server.pool, data["user_code"]),
            scope=" ".join(granted),
            interval=self.INTERVAL,
            expires_at=self.server.now + timedelta(seconds=self.EXPIRES_IN),
        )


def verification_uri(pool: UserPool) -> str:
    """Return the address where a person enters the code that a device shows."""
    return f"{settings.PUBLIC_URL}/login/{pool.identifier}/device"


def user_code_hash(pool: UserPool, user_code: str) -> str:
    """Return under what a user code is found, however it was typed (RFC 8628 §6.1)."""
    letters = "".join(letter for letter in user_code.upper() if letter.isalnum())
    return keyed_hash("device user code", str(pool.pk), letters).hex()

"""The device authorization endpoint: a device asks for its two codes (RFC 8628 §3.1)."""

from datetime import datetime, timedelta
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import UnauthorizedClientError
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint as Endpoint
from django.conf import settings
from django.db.models import QuerySet

from accounts.models import DeviceAuthorization
from accounts.oidc.server import DEVICE_CODE, Client, PoolServer, ProtocolRequest
from accounts.sessions.scopes import requested_scopes
from accounts.sweeping import Sweeper
from applications.offers import refuse_disabled
from config.kernel.database import save_unless_taken
from config.kernel.encryption import keyed_hash, token_hash
from userpools.models import UserPool

# Any caller that knows a public client_id may begin a request and abandon it.
sweeper = Sweeper(every=timedelta(seconds=60))
# For a day, a used or expired device code is distinguished from an unknown one.
_SPENT_LAST = timedelta(days=1)
# There are 25 billion user codes.
_ATTEMPTS = 3


class DeviceAuthorizationEndpoint(Endpoint):
    """RFC 8628 §3.1. The codes are stored as hashes, the user code as a keyed hash."""

    EXPIRES_IN = 600
    server: PoolServer

    def authenticate_client(self, request: ProtocolRequest) -> Client:
        """Return the client of the device.

        Raises:
            InvalidClient: its credentials are wrong.
            ApplicationDisabled: an operator disabled the application.
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
        """Store the codes; if the user code is taken, put a new one into ``data``."""
        now = self.server.now
        granted = requested_scopes(scope or None, self.application.type)
        sweeper.sweep_if_due(past_devices(now))
        waiting = DeviceAuthorization(
            pool=self.server.pool,
            application=self.application,
            device_code_hash=token_hash(data["device_code"]),
            scope=" ".join(granted),
            interval=self.INTERVAL,
            expires_at=now + timedelta(seconds=self.EXPIRES_IN),
        )
        for _attempt in range(_ATTEMPTS):
            waiting.user_code_hash = user_code_hash(self.server.pool, data["user_code"])
            if save_unless_taken(waiting, "accounts_device_user_code", force_insert=True):
                return
            data |= self._another_user_code()
        raise RuntimeError("No user code was free.")

    def _another_user_code(self) -> dict[str, str]:
        user_code = self.generate_user_code()
        complete = add_params_to_uri(self.get_verification_uri(), [("user_code", user_code)])
        return {"user_code": user_code, "verification_uri_complete": complete}


def past_devices(now: datetime) -> QuerySet[DeviceAuthorization]:
    """Return the devices whose rows may be deleted."""
    return DeviceAuthorization.objects.filter(expires_at__lt=now - _SPENT_LAST)


def verification_uri(pool: UserPool) -> str:
    """Return the address where a person enters the code that a device shows."""
    return f"{settings.PUBLIC_URL}/login/{pool.identifier}/device"


def user_code_hash(pool: UserPool, user_code: str) -> str:
    """Return the hash of a user code; case and separators don't matter (RFC 8628 §6.1)."""
    letters = "".join(letter for letter in user_code.upper() if letter.isalnum())
    return keyed_hash("device user code", str(pool.pk), letters).hex()

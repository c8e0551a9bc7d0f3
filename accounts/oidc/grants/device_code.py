"""Tokens for a device that its person has approved in a browser (RFC 8628 §3.4, §3.5)."""

from datetime import timedelta
from typing import Any

from authlib.oauth2 import rfc8628
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from accounts.models import DeviceAuthorization
from accounts.oidc.oauth_errors import InvalidDeviceCode
from accounts.oidc.server import Client, PoolServer
from accounts.sessions.access import is_current
from accounts.sessions.tokens import issue_tokens
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash
from config.kernel.rows import insert

SLOWER_BY = 5  # seconds; RFC 8628 §3.5
LONGEST_INTERVAL = 600  # seconds


class StoredDevice:
    """A device that waits, with the interface that Authlib expects."""

    def __init__(self, row: DeviceAuthorization, client: Client, *, is_expired: bool) -> None:
        self.row = row
        self.client = client
        self._is_expired = is_expired

    def get_client_id(self) -> str:
        return self.client.get_client_id()

    def get_scope(self) -> str:
        return self.row.scope

    def get_user_code(self) -> DeviceAuthorization:
        # Authlib passes it to query_user_grant; the user code itself isn't stored.
        return self.row

    def is_expired(self) -> bool:
        return self._is_expired


class DeviceCodeGrant(rfc8628.DeviceCodeGrant):
    """RFC 8628 §3.4."""

    server: PoolServer

    def authenticate_token_endpoint_client(self) -> Client:
        # Authlib sets the client only after it has queried the device, which needs the client.
        client: Client = super().authenticate_token_endpoint_client()
        self.request.client = client
        return client

    def query_device_credential(self, device_code: str) -> StoredDevice:
        """Return the device that polls.

        Raises:
            InvalidDeviceCode: the application has no such device, or the code was used.

        """
        client: Client = self.request.client
        row = one_or_none(
            DeviceAuthorization.objects.select_related("session__user").filter(
                pool=self.server.pool,
                application=client.application,
                device_code_hash=token_hash(device_code),
            )
        )
        if row is None or row.used_at is not None:
            raise InvalidDeviceCode
        return StoredDevice(row, client, is_expired=row.expires_at <= self.server.now)

    def query_user_grant(self, user_code: DeviceAuthorization) -> tuple[Any, bool] | None:
        """Return the person and whether they agreed; None while they haven't decided."""
        row = user_code
        if row.decision == DeviceAuthorization.Decision.PENDING:
            return None
        approved = row.decision == DeviceAuthorization.Decision.APPROVED
        return (row.session.user if row.session else None), approved and row.session is not None

    def should_slow_down(self, credential: StoredDevice) -> bool:
        """Store the time of the poll; if it came too early, extend the interval and return True."""
        row, now = credential.row, self.server.now
        seen = DeviceAuthorization.objects.filter(pk=row.pk)
        early = row.polled_at is not None and now - row.polled_at < timedelta(seconds=row.interval)
        slower = Least(F("interval") + SLOWER_BY, LONGEST_INTERVAL)
        seen.update(polled_at=now, interval=slower if early else F("interval"))
        return early

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Spend the device code and make its tokens.

        Raises:
            InvalidDeviceCode: another poll used it first, or the person's session has ended.

        """
        row, now = self.request.credential.row, self.server.now
        row.session.pool = self.server.pool
        row.session.application = self.request.client.application
        if not is_current(row.session):
            raise InvalidDeviceCode
        with transaction.atomic():
            unspent = DeviceAuthorization.objects.filter(pk=row.pk, used_at__isnull=True)
            if not unspent.update(used_at=now):
                raise InvalidDeviceCode
            tokens = issue_tokens(row.session, tuple(row.scope.split()), now=now)
            insert(*tokens.rows)
        return 200, tokens.as_answer(), self.TOKEN_RESPONSE_HEADER

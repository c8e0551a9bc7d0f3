"""The endpoints that applications call themselves, after authenticating."""

from abc import ABC, abstractmethod
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.login.throttles import LoginThrottle
from accounts.oidc.authorization.pushing import push_request
from accounts.oidc.endpoints.device_authorization import DeviceAuthorizationEndpoint
from accounts.oidc.endpoints.introspection import IntrospectionEndpoint
from accounts.oidc.endpoints.revocation import RevocationEndpoint
from accounts.oidc.grants import register_grants
from accounts.oidc.inputs import StrictFormParser, form_fields, required
from accounts.oidc.server import DEVICE_CODE, PoolServer, ProtocolRequest
from applications.client_authentication import (
    ClientCredentials,
    authenticated_application,
    read_credentials,
)
from config.kernel.headers import NO_STORE
from userpools.models import UserPool
from userpools.pools import find_pool

Fields = dict[str, str]

NEEDED = {
    "authorization_code": "code",
    "refresh_token": "refresh_token",
    DEVICE_CODE: "device_code",
}
"""for each grant type, the field that is required"""


class ClientView(ABC, APIView):
    """A form from an application; refusals are counted per address and per client_id."""

    parser_classes = [StrictFormParser]
    status = HTTPStatus.OK

    def post(self, request: Request, pool: str) -> Response:
        fields = form_fields(request)
        credentials = read_credentials(request.headers.get("Authorization", ""), fields)
        throttle = LoginThrottle(
            address=request.META["REMOTE_ADDR"], client_id=credentials.unverified_client_id
        )
        found, now = find_pool(pool), timezone.now()
        with throttle.guard():
            body = self.answer(found, fields, credentials, now)
        return Response(body, status=self.status, headers=NO_STORE)

    @abstractmethod
    def answer(
        self, pool: UserPool, fields: Fields, credentials: ClientCredentials, now: datetime
    ) -> dict[str, Any]:
        """Return the body of the answer, or raise a refusal."""


@extend_schema(exclude=True)
class TokenView(ClientView):
    """RFC 6749 §3.2."""

    def answer(
        self, pool: UserPool, fields: Fields, credentials: ClientCredentials, now: datetime
    ) -> dict[str, Any]:
        grant_type = required(fields, "grant_type")
        if grant_type in NEEDED:
            required(fields, NEEDED[grant_type])
        server = PoolServer(pool, now=now)
        register_grants(server)
        tokens: dict[str, Any] = server.create_token_response(ProtocolRequest(fields, credentials))
        return tokens


class EndpointView(ClientView):
    """One of Authlib's endpoints."""

    endpoint: Any
    """the Authlib class"""

    def answer(
        self, pool: UserPool, fields: Fields, credentials: ClientCredentials, now: datetime
    ) -> dict[str, Any]:
        # The hint is ignored: if it were wrong, all token types would be searched anyway (RFC 7009
        # §2.1).
        named = {name: value for name, value in fields.items() if name != "token_type_hint"}
        self.check(named)
        server = PoolServer(pool, now=now)
        server.register_endpoint(self.endpoint)
        body: dict[str, Any] = server.create_endpoint_response(
            self.endpoint.ENDPOINT_NAME, ProtocolRequest(named, credentials)
        )
        return body

    def check(self, fields: Fields) -> None:
        """Refuse a request that lacks what this endpoint needs."""
        required(fields, "token")


@extend_schema(exclude=True)
class IntrospectionView(EndpointView):
    """RFC 7662."""

    endpoint = IntrospectionEndpoint


@extend_schema(exclude=True)
class RevocationView(EndpointView):
    """RFC 7009."""

    endpoint = RevocationEndpoint


@extend_schema(exclude=True)
class DeviceAuthorizationView(EndpointView):
    """RFC 8628 §3.1."""

    endpoint = DeviceAuthorizationEndpoint

    def check(self, fields: Fields) -> None:
        """Accept any request: every field is optional."""


@extend_schema(exclude=True)
class PushedRequestView(ClientView):
    """RFC 9126."""

    status = HTTPStatus.CREATED

    def answer(
        self, pool: UserPool, fields: Fields, credentials: ClientCredentials, now: datetime
    ) -> dict[str, Any]:
        application = authenticated_application(pool, credentials, now=now)
        return push_request(application, fields, now=now)

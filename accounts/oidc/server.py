"""The authorization server of one pool, as a subclass of Authlib's: its clients and grants.

Authlib checks requests in the order of the RFCs. This package stores codes and tokens and makes
sure that each is used once (``grants/``). Authlib's errors are converted to `DomainError`, so that
all answers of the server look the same.
"""

from datetime import datetime
from typing import Any, NoReturn

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from django.conf import settings

from accounts.oidc.oauth_errors import as_domain_error
from accounts.sessions.scopes import ALL_SCOPES
from applications.client_authentication import ClientCredentials, authenticated_application
from applications.models import Application
from applications.rules import ApplicationType, is_redirected
from userpools.models import UserPool

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class ProtocolRequest(OAuth2Request):
    """The fields of a request, each given once, and the credentials of the client."""

    def __init__(self, fields: dict[str, str], credentials: ClientCredentials) -> None:
        super().__init__("POST", settings.PUBLIC_URL)
        self.payload = BasicOAuth2Payload(fields)
        self.credentials = credentials

    @property
    def form(self) -> dict[str, str]:
        fields: dict[str, str] = self.payload.data
        return fields


class Client(ClientMixin):
    """An application, with the interface that Authlib expects of a client."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def get_client_id(self) -> str:
        return self.application.client_id

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in grant_types(self.application)


class PoolServer(AuthorizationServer):
    """The authorization server of one pool, for one request."""

    def __init__(self, pool: UserPool, *, now: datetime) -> None:
        super().__init__(scopes_supported=ALL_SCOPES)
        self.pool = pool
        self.now = now

    def authenticate_client(
        self, request: ProtocolRequest, _methods: list[str], _endpoint: str = "token"
    ) -> Client:
        """Return the client that the request's credentials authenticate.

        Raises:
            InvalidClient: the pool has no such application, or its credentials are wrong.

        """
        return Client(authenticated_application(self.pool, request.credentials, now=self.now))

    def create_oauth2_request(self, request: ProtocolRequest) -> ProtocolRequest:
        return request

    def handle_response(
        self, _status: int, body: dict[str, Any], _headers: list[tuple[str, str]]
    ) -> dict[str, Any]:
        return body

    def handle_error_response(self, _request: ProtocolRequest, error: OAuth2Error) -> NoReturn:
        raise as_domain_error(error) from error

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Send no signal, since nothing receives one."""


def grant_types(application: Application) -> list[str]:
    """Return the grant types that an application may use (RFC 7591 §2).

    A machine application has no logins; all other applications refresh the tokens of a login.
    """
    if application.type == ApplicationType.MACHINE:
        return ["client_credentials"]
    redirected = ["authorization_code"] if is_redirected(application.type) else []
    device = [DEVICE_CODE] if application.allows_device_flow else []
    return [*redirected, "refresh_token", *device]

"""The grants of the token endpoint: Authlib checks the request, these look up, spend and issue.

::

    authorization_code.py   RFC 6749 §4.1.3, RFC 7636 §4.6
    refresh_token.py        RFC 6749 §6, RFC 9700 §4.14.2
    client_credentials.py   RFC 6749 §4.4
    device_code.py          RFC 8628 §3.4
"""

from authlib.oauth2.rfc6749 import BaseGrant

from accounts.oidc.grants.authorization_code import S256, AuthorizationCodeGrant
from accounts.oidc.grants.client_credentials import ClientCredentialsGrant
from accounts.oidc.grants.device_code import DeviceCodeGrant
from accounts.oidc.grants.refresh_token import RefreshTokenGrant
from accounts.oidc.server import PoolServer


def register_grants(server: PoolServer) -> None:
    """Register all grants at the server."""
    server.register_grant(AuthorizationCodeGrant, [S256()])
    for grant in _WITHOUT_EXTENSIONS:
        server.register_grant(grant)


_WITHOUT_EXTENSIONS: tuple[type[BaseGrant], ...] = (
    RefreshTokenGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
)

"""How the OAuth endpoints refuse (RFC 6749 §5.2, RFC 8628 §3.5), Authlib's refusals included."""

from http import HTTPStatus

from authlib.oauth2.rfc6749 import OAuth2Error, UnsupportedGrantTypeError

from config.errors import DomainError


class InvalidGrant(DomainError):
    """The code or refresh token opens nothing; why is said to the operator, not to the caller."""

    code = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST
    description = "The refresh token is unknown, used, expired or revoked. Log in again."


class InvalidCode(InvalidGrant):
    """An authorization code that gives no tokens."""

    description = (
        "The code is unknown, used, expired, or of another application, redirect_uri or "
        "code_verifier. Begin again at the authorization endpoint."
    )


class InvalidDeviceCode(InvalidGrant):
    """A device code that gives no tokens."""

    description = "The device_code is unknown, used, or of another application. Begin again."


class UnsupportedGrantType(DomainError):
    """A grant type that doesn't exist here (RFC 6749 §5.2)."""

    code = "unsupported_grant_type"
    status = HTTPStatus.BAD_REQUEST
    description = (
        "grant_type: authorization_code, refresh_token, client_credentials and "
        "urn:ietf:params:oauth:grant-type:device_code exist."
    )


class ProtocolError(DomainError):
    """A refusal that Authlib found; its words are kept."""

    def __init__(self, error: OAuth2Error) -> None:
        super().__init__(error.get_error_description() or "The request was refused.")
        self.code = error.error or "invalid_request"
        self.status = HTTPStatus(error.status_code)


def as_domain_error(error: OAuth2Error) -> DomainError:
    """Return what a caller is told of a refusal of Authlib's; their own words aren't repeated."""
    if isinstance(error, UnsupportedGrantTypeError):
        return UnsupportedGrantType()
    return ProtocolError(error)

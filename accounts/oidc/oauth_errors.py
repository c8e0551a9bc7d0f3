"""How the OAuth endpoints refuse (RFC 6749 §5.2, RFC 8628 §3.5), Authlib's refusals included."""

from http import HTTPStatus

from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error, UnsupportedGrantTypeError
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from config.kernel.errors import DomainError


class InvalidGrant(DomainError):
    """What was granted opens nothing (any more); which check failed isn't told."""

    code = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST


class InvalidRefreshToken(InvalidGrant):
    """A refresh token that gives no tokens."""

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


class AuthorizationPending(DomainError):
    """The person hasn't decided yet: a device that waits is told so every few seconds."""

    is_callers_doing = False
    code = "authorization_pending"
    status = HTTPStatus.BAD_REQUEST
    description = "The person hasn't decided yet. Ask again once the interval has passed."


class SlowDown(DomainError):
    """The device asked before the interval had passed."""

    code = "slow_down"
    status = HTTPStatus.BAD_REQUEST
    description = "You ask too often. From now on wait 5 seconds longer between two requests."


class ExpiredDeviceCode(DomainError):
    """Nobody entered the device's code in time."""

    code = "expired_token"
    status = HTTPStatus.BAD_REQUEST
    description = "The device_code ran out. Begin again at the device authorization endpoint."


class AccessDenied(DomainError):
    """The person keeps the device out."""

    code = "access_denied"
    status = HTTPStatus.BAD_REQUEST
    description = "The person refused. Ask them before you begin again."


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


_IN_OUR_WORDS: dict[type[OAuth2Error], type[DomainError]] = {
    UnsupportedGrantTypeError: UnsupportedGrantType,
    AuthorizationPendingError: AuthorizationPending,
    SlowDownError: SlowDown,
    ExpiredTokenError: ExpiredDeviceCode,
    AccessDeniedError: AccessDenied,
}


def as_domain_error(error: OAuth2Error) -> DomainError:
    """Return what a caller is told of a refusal of Authlib's; their own words aren't repeated."""
    ours = _IN_OUR_WORDS.get(type(error))
    return ours() if ours else ProtocolError(error)

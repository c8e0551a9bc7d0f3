"""The OAuth endpoints' errors (RFC 6749 §5.2, RFC 8628 §3.5), including those of Authlib."""

from http import HTTPStatus

from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error, UnsupportedGrantTypeError
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError

from config.kernel.errors import DomainError


class InvalidGrant(DomainError):
    """The grant isn't valid, or not any more; the answer doesn't say which check failed."""

    code = "invalid_grant"
    status = HTTPStatus.BAD_REQUEST


class InvalidRefreshToken(InvalidGrant):
    """The refresh token isn't valid."""

    description = "The refresh token is unknown, used, expired or revoked. Log in again."


class InvalidAuthorizationCode(InvalidGrant):
    """The authorization code isn't valid."""

    description = (
        "The code is unknown, used, expired, or of another application, redirect_uri or "
        "code_verifier. Begin again at the authorization endpoint."
    )


class InvalidDeviceCode(InvalidGrant):
    """The device code isn't valid."""

    description = "The device_code is unknown, used, or of another application. Begin again."


class AuthorizationPending(DomainError):
    """The person hasn't decided yet; a device polls every few seconds and gets this answer."""

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
    """The device's code wasn't entered in time."""

    code = "expired_token"
    status = HTTPStatus.BAD_REQUEST
    description = "The device_code ran out. Begin again at the device authorization endpoint."


class AccessDenied(DomainError):
    """The person denied the device access."""

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
    """A refusal by Authlib, with Authlib's description."""

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
    """Return the error for a refusal by Authlib; where one of ours exists, it is used."""
    ours = _IN_OUR_WORDS.get(type(error))
    return ours() if ours else ProtocolError(error)

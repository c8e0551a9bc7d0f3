"""The scopes that exist, and the default for a request without a scope (RFC 6749 §3.3)."""

from http import HTTPStatus

from applications.rules import ApplicationType
from config.kernel.errors import DomainError

OPENID = "openid"
PROFILE = "profile"
PHONE = "phone"
EMAIL = "email"
ACCOUNT = "account"
OFFLINE_ACCESS = "offline_access"
ALL_SCOPES = (OPENID, PROFILE, PHONE, EMAIL, ACCOUNT, OFFLINE_ACCESS)

# A token with `account` can change how its user logs in, so by default only mini programs get it:
# each of their logins needs a new WeChat code.
_DEFAULT = {
    ApplicationType.MINI_PROGRAM: (OPENID, PROFILE, PHONE, ACCOUNT, OFFLINE_ACCESS),
}
_DEFAULT_ELSEWHERE = (OPENID, PROFILE, PHONE, OFFLINE_ACCESS)


class InvalidScope(DomainError):
    """A scope that doesn't exist, or that wasn't granted."""

    code = "invalid_scope"
    status = HTTPStatus.BAD_REQUEST
    description = f"scope: only these exist, separated by blanks: {' '.join(ALL_SCOPES)}."


def requested_scopes(scope: str | None, application_type: str) -> tuple[str, ...]:
    """Return the scopes that a request asks for, each once and in the order of ALL_SCOPES.

    Raises:
        InvalidScope: one of them doesn't exist.

    """
    if scope is None:
        return _DEFAULT.get(ApplicationType(application_type), _DEFAULT_ELSEWHERE)
    wanted = set(scope.split())
    if not wanted <= set(ALL_SCOPES):
        raise InvalidScope
    return tuple(name for name in ALL_SCOPES if name in wanted)


def understood_scopes(scope: str | None, application_type: str) -> tuple[str, ...]:
    """Return the scopes of an authorization request that exist; unknown ones are ignored.

    OpenID Connect Core §3.1.2.1; the token endpoint's answer names the granted scopes.
    """
    if scope is None:
        return requested_scopes(None, application_type)
    wanted = set(scope.split())
    return tuple(name for name in ALL_SCOPES if name in wanted)


def narrowed_scopes(scope: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes of a refreshed token: those granted, or fewer (RFC 6749 §6).

    Raises:
        InvalidScope: a scope was not granted before.

    """
    if scope is None:
        return granted
    wanted = set(scope.split())
    if not wanted <= set(granted):
        raise InvalidScope("scope: a refreshed token can't have more than was granted.")
    return tuple(name for name in granted if name in wanted)

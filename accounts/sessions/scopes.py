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

    An empty text counts as absent (RFC 6749 §3.1).

    Raises:
        InvalidScope: one of them doesn't exist, or there is none between the blanks.

    """
    if not scope:
        return _DEFAULT.get(ApplicationType(application_type), _DEFAULT_ELSEWHERE)
    wanted = set(scope.split())
    if not wanted or not wanted <= set(ALL_SCOPES):
        raise InvalidScope
    return tuple(name for name in ALL_SCOPES if name in wanted)


def understood_scopes(scope: str | None, application_type: str) -> tuple[str, ...]:
    """Return the scopes of an authorization request that exist; unknown ones are ignored.

    OpenID Connect Core §3.1.2.1; the token endpoint's answer names the granted scopes.

    Raises:
        InvalidScope: none of them exists.

    """
    known = set(ALL_SCOPES).intersection((scope or "").split())
    if scope and not known:
        raise InvalidScope
    return requested_scopes(" ".join(known), application_type)


def narrowed_scopes(scope: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes of a refreshed token: those granted, or fewer (RFC 6749 §6).

    Raises:
        InvalidScope: a scope was not granted before, or there is none between the blanks.

    """
    if not scope:
        return granted
    wanted = set(scope.split())
    if not wanted or not wanted <= set(granted):
        raise InvalidScope("scope: a refreshed token can't have more than was granted.")
    return tuple(name for name in granted if name in wanted)

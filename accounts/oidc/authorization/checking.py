"""Checking an authorization request: RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.

Until the redirect URI is known to belong to the client, an error is shown on our own page
(`Unanswerable`). After that it is sent to the application (`Refused`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from authlib.oauth2.rfc7636.challenge import CODE_CHALLENGE_PATTERN

from accounts.oidc.authorization.hints import read_hint
from accounts.sessions.scopes import InvalidScope, understood_scopes
from applications.models import Application
from applications.offers import KnownApplication, known_application
from applications.redirect_uris import is_registered
from applications.rules import is_redirected
from config.kernel.errors import InvalidClient
from userpools.models import UserPool

LONGEST_REQUEST = 8192
"""characters of all parameters together: any caller can have a request stored for half an hour"""
NONCE_MAX_LENGTH = 512
LONGEST_MAX_AGE = 10 * 365 * 24 * 3600
MAX_AGE_MAX_LENGTH = len(str(LONGEST_MAX_AGE))
PARAMETERS = frozenset(
    {
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "max_age",
        "id_token_hint",
        "login_hint",
        "ui_locales",
    }
)
"""The parameters that are used and stored. Others are ignored."""
NOT_SUPPORTED = frozenset({"request", "registration", "request_uri"})
"""Parameters that are refused; a ``request_uri`` that we issued has been resolved before."""
PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class ResponseMode(StrEnum):
    """How the answer is sent to the redirect URI."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


class Unanswerable(Exception):
    """The request has no valid application, or no redirect URI registered for it.

    ``reason`` selects the text of the page: ``client_id``, ``redirect_uri``,
    ``application_disabled``, ``request`` (malformed) or ``request_uri`` (an invalid pushed
    request); at the logout also ``post_logout_redirect_uri`` and ``id_token_hint``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class ReturnAddress:
    """Where the answer is sent, and the parameters that every answer has."""

    issuer: str
    redirect_uri: str
    response_mode: ResponseMode
    state: str | None


class Refused(Exception):
    """An error for the application (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6)."""

    def __init__(self, to: ReturnAddress, error: str, description: str) -> None:
        super().__init__(error)
        self.to = to
        self.error = error
        self.description = description


@dataclass(frozen=True, kw_only=True)
class CheckedRequest:
    """An authorization request that may be answered.

    ``hinted_sub`` is the ``sub`` of the id_token_hint, empty if there is none.
    """

    application: Application
    to: ReturnAddress
    scope: tuple[str, ...]
    nonce: str
    code_challenge: str
    prompts: frozenset[str]
    max_age: timedelta | None
    hinted_sub: str
    ui_locales: tuple[str, ...]

    def refusal(self, error: str, description: str) -> Refused:
        """Return an error for the application."""
        return Refused(self.to, error, description)


def check_request(pool: UserPool, fields: Mapping[str, str]) -> CheckedRequest:
    """Check the parameters of an authorization request.

    Raises:
        Unanswerable: the application or its redirect URI is wrong.
        Refused: another parameter is wrong.

    """
    if sum(len(fields[name]) for name in PARAMETERS & fields.keys()) > LONGEST_REQUEST:
        raise Unanswerable("request")
    known = _known(pool, fields)
    application = known.application
    to = _return_address(known, fields)
    for name in sorted(NOT_SUPPORTED):
        if name in fields:
            raise Refused(to, f"{name}_not_supported", f"{name} is not supported here.")
    _check_response_type(application, fields, to)
    _check_pkce(application, fields, to)
    nonce = fields.get("nonce", "")
    if len(nonce) > NONCE_MAX_LENGTH:
        raise Refused(to, "invalid_request", "nonce: must be at most 512 characters long.")
    return CheckedRequest(
        application=application,
        to=to,
        scope=_scope(application, fields, to),
        nonce=nonce,
        code_challenge=fields.get("code_challenge", ""),
        prompts=_prompts(fields, to),
        max_age=_max_age(fields, to),
        hinted_sub=_hinted_sub(application, fields, to),
        ui_locales=tuple(fields.get("ui_locales", "").split()),
    )


def find_application(pool: UserPool, fields: Mapping[str, str]) -> Application:
    """Return the application that the request names.

    Raises:
        Unanswerable: this pool has no such application, or it is disabled.

    """
    return _known(pool, fields).application


def _known(pool: UserPool, fields: Mapping[str, str]) -> KnownApplication:
    try:
        known = known_application(fields.get("client_id", ""))
    except InvalidClient:
        raise Unanswerable("client_id") from None
    if known.application.pool_id != pool.pk:
        raise Unanswerable("client_id")
    if not known.application.enabled:
        raise Unanswerable("application_disabled")
    return known


def _return_address(known: KnownApplication, fields: Mapping[str, str]) -> ReturnAddress:
    application, uri = known.application, fields.get("redirect_uri", "")
    if not uri or not is_registered(uri, known.redirect_uris, application.type):
        raise Unanswerable("redirect_uri")
    to = ReturnAddress(
        issuer=application.pool.issuer,
        redirect_uri=uri,
        response_mode=ResponseMode.QUERY,
        state=fields.get("state"),
    )
    mode = fields.get("response_mode", ResponseMode.QUERY)
    if mode not in set(ResponseMode):
        raise Refused(to, "invalid_request", "response_mode: query, fragment or form_post.")
    if mode == ResponseMode.FORM_POST and not uri.startswith(("https://", "http://")):
        raise Refused(to, "invalid_request", "response_mode: form_post needs a web address.")
    return replace(to, response_mode=ResponseMode(mode))


def _check_response_type(
    application: Application, fields: Mapping[str, str], to: ReturnAddress
) -> None:
    response_type = fields.get("response_type")
    if response_type is None:
        raise Refused(to, "invalid_request", "response_type: is required.")
    if response_type != "code":
        raise Refused(to, "unsupported_response_type", "response_type: only code exists.")
    if not is_redirected(application.type):
        raise Refused(to, "unauthorized_client", "This application can't use this flow.")


def _check_pkce(application: Application, fields: Mapping[str, str], to: ReturnAddress) -> None:
    challenge = fields.get("code_challenge")
    if challenge is not None:
        if fields.get("code_challenge_method") != "S256":
            raise Refused(to, "invalid_request", "code_challenge_method: only S256 exists.")
        if not CODE_CHALLENGE_PATTERN.fullmatch(challenge):
            raise Refused(to, "invalid_request", "code_challenge: isn't one of RFC 7636 §4.2.")
        return
    if "code_challenge_method" in fields:
        raise Refused(to, "invalid_request", "code_challenge: is required (PKCE, RFC 7636).")
    is_needed = application.pkce == Application.Pkce.REQUIRED
    if is_needed or application.client_authentication == Application.ClientAuthentication.NONE:
        raise Refused(to, "invalid_request", "code_challenge: is required (PKCE, RFC 7636).")
    if not fields.get("nonce"):
        raise Refused(to, "invalid_request", "nonce: is required where there is no PKCE.")


def _scope(
    application: Application, fields: Mapping[str, str], to: ReturnAddress
) -> tuple[str, ...]:
    try:
        return understood_scopes(fields.get("scope"), application.type)
    except InvalidScope as error:
        raise Refused(to, error.code, error.description) from None


def _prompts(fields: Mapping[str, str], to: ReturnAddress) -> frozenset[str]:
    prompts = frozenset(fields.get("prompt", "").split())
    if not prompts <= PROMPTS:
        raise Refused(to, "invalid_request", f"prompt: {', '.join(sorted(PROMPTS))} exist.")
    if "none" in prompts and len(prompts) > 1:
        raise Refused(to, "invalid_request", "prompt: none goes with nothing else.")
    return prompts


def _max_age(fields: Mapping[str, str], to: ReturnAddress) -> timedelta | None:
    text = fields.get("max_age")
    if text is None:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_AGE_MAX_LENGTH
    if not is_number or int(text) > LONGEST_MAX_AGE:
        raise Refused(to, "invalid_request", "max_age: must be a number of seconds.")
    return timedelta(seconds=int(text))


def _hinted_sub(application: Application, fields: Mapping[str, str], to: ReturnAddress) -> str:
    if "id_token_hint" not in fields:
        return ""
    hint = read_hint(application.pool, fields["id_token_hint"])
    if hint is None or hint.client_id != application.client_id:
        # No login could match it.
        raise Refused(to, "invalid_request", "id_token_hint: isn't an ID token of yours.")
    return hint.sub

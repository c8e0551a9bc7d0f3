"""The answer to the redirect URI: a code or an error, with ``state`` and ``iss`` (RFC 9207)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from accounts.models import AuthorizationCode, Session
from accounts.oidc.authorization.checking import (
    CheckedRequest,
    Refused,
    ResponseMode,
    ReturnAddress,
)
from config.kernel.encryption import new_token, token_hash
from config.kernel.rows import insert

CODE_LIVES = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An authorization response, in the order of its parameters."""

    to: ReturnAddress
    parameters: dict[str, str] = field(repr=False)

    @property
    def location(self) -> str:
        """The registered redirect URI with the parameters in its query or fragment."""
        if self.to.response_mode == ResponseMode.FRAGMENT:
            return f"{self.to.redirect_uri}#{urlencode(self.parameters)}"
        return with_query(self.to.redirect_uri, self.parameters)


def with_query(uri: str, parameters: Mapping[str, str]) -> str:
    """Return a registered URI with these parameters appended to its query."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode(parameters)}"


def answer_with_code(checked: CheckedRequest, session: Session, *, now: datetime) -> Answer:
    """Make a code for the session's tokens, within the caller's transaction."""
    code, answer = new_code(checked, now=now)
    code.session = session
    insert(code)
    return answer


def new_code(checked: CheckedRequest, *, now: datetime) -> tuple[AuthorizationCode, Answer]:
    """Return a code that isn't stored and has no session yet, and the answer with it."""
    code = new_token()
    row = AuthorizationCode(
        pool_id=checked.application.pool_id,
        code_hash=token_hash(code),
        redirect_uri=checked.to.redirect_uri,
        scope=" ".join(checked.scope),
        nonce=checked.nonce,
        code_challenge=checked.code_challenge,
        expires_at=now + CODE_LIVES,
    )
    return row, _answer(checked.to, {"code": code})


def answer_with_error(refused: Refused) -> Answer:
    """Return the error response for the application."""
    return _answer(refused.to, {"error": refused.error, "error_description": refused.description})


def _answer(to: ReturnAddress, parameters: dict[str, str]) -> Answer:
    state = {} if to.state is None else {"state": to.state}
    return Answer(to=to, parameters={**parameters, **state, "iss": to.issuer})

"""Codes that a phone hands to a mini program: single use, five minutes, for one application.

https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/getPhoneNumber
"""

import hashlib
import secrets
import string
from dataclasses import asdict, dataclass
from enum import StrEnum

from identity_sources.sandbox.errors import RefusedError
from identity_sources.sandbox.store import Clock, Store

CODE_TTL_SECONDS = 300

# Entries live longer than codes: whether a code has expired is the clock's business alone, which
# in tests is not the store's.
_KEPT_SECONDS = 2 * CODE_TTL_SECONDS
_ALPHANUMERIC = string.ascii_letters + string.digits


class CodeKind(StrEnum):
    """What a code is for; the two kinds are not interchangeable."""

    LOGIN = "login"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What WeChat remembers of a code; `issued_at` is Unix seconds."""

    kind: str
    app_id: str
    person: str
    issued_at: float


class Codes:
    """Issues and consumes codes; of any number of concurrent exchanges exactly one succeeds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, kind: CodeKind, *, app_id: str, person: str) -> str:
        """Return a new code: 32 alphanumeric characters to log in, 64 hex digits for a phone."""
        code = _login_code() if kind is CodeKind.LOGIN else secrets.token_hex(32)
        issued = IssuedCode(kind.value, app_id, person, self._clock())
        self._store.set(_key("code", code), asdict(issued), _KEPT_SECONDS)
        return code

    def consume(self, kind: CodeKind, code: str, *, app_id: str) -> IssuedCode:
        """Use the code up and return what it stands for.

        Refused with 40029 when unknown, expired or of the other kind, with 40163 when used, and
        when it is another application's with 40029 (login) or 40013 (phone); a code that is not
        this application's stays good for its own.
        """
        issued = self._find(kind, code)
        if issued.app_id != app_id:
            raise RefusedError(40013 if kind is CodeKind.PHONE else 40029)
        if not self._store.add(_key("used", code), 1, _KEPT_SECONDS):
            raise RefusedError(40163)
        return issued

    def _find(self, kind: CodeKind, code: str) -> IssuedCode:
        entry = self._store.get(_key("code", code))
        if entry is None:
            raise RefusedError(40029)
        issued = IssuedCode(**entry)
        is_expired = self._clock() >= issued.issued_at + CODE_TTL_SECONDS
        if issued.kind != kind.value or is_expired:
            raise RefusedError(40029)
        return issued


def _login_code() -> str:
    # Samples begin with 0 and two digits, and characters 4 to 7 come back as 28 to 31.
    mark = _random_text(4)
    return f"0{secrets.randbelow(100):02d}{mark}{_random_text(20)}{mark}{_random_text(1)}"


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def _key(purpose: str, code: str) -> str:
    # Codes come from strangers: hashed, they fit any cache's rules for keys. JSON may hold halves
    # of surrogate pairs, which plain UTF-8 refuses.
    digest = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    return f"wxsandbox:{purpose}:{digest}"

"""Codes that WeChat issues: single use, for some minutes, for one application.

https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/getPhoneNumber
https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login
https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
"""

import hashlib
import secrets
import string
from collections.abc import Container
from dataclasses import asdict, dataclass
from enum import StrEnum

from identity_sources.sandbox.exceptions import RefusedError
from identity_sources.sandbox.store import Clock, Store

_ALPHANUMERIC = string.ascii_letters + string.digits


class CodeKind(StrEnum):
    """The purpose of a code."""

    LOGIN = "login"
    PHONE = "phone"
    WEBSITE = "website"
    OFFICIAL_ACCOUNT = "official_account"
    MOBILE_APP = "mobile_app"


LIFETIMES_SECONDS = {
    CodeKind.LOGIN: 300,
    CodeKind.PHONE: 300,
    CodeKind.WEBSITE: 600,
    CodeKind.OFFICIAL_ACCOUNT: 300,
    CodeKind.MOBILE_APP: 600,
}
# The same call exchanges all of these; the others have their own calls.
OAUTH = frozenset({CodeKind.WEBSITE, CodeKind.OFFICIAL_ACCOUNT, CodeKind.MOBILE_APP})

# Entries are kept longer than codes: only `clock` decides whether a code has expired, and in tests
# the store has another clock.
_KEPT_SECONDS = 2 * max(LIFETIMES_SECONDS.values())


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """The stored data of a code; `issued_at` is in Unix seconds."""

    kind: CodeKind
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
        code = secrets.token_hex(32) if kind is CodeKind.PHONE else _login_code()
        issued = IssuedCode(kind, app_id, person, self._clock())
        entry = asdict(issued) | {"kind": kind.value}
        self._store.set(_key("code", code), entry, _KEPT_SECONDS)
        return code

    def consume(self, kinds: Container[CodeKind], code: str, *, app_id: str) -> IssuedCode:
        """Use the code up and return its data.

        Refused with 40029 when unknown, expired or of another kind, with 40163 when used, and when
        it is another application's with 40029 (login) or 40013 (phone); a code of another
        application stays valid for that one.
        """
        issued = self._find(code)
        if issued.kind not in kinds:
            raise RefusedError(40029)
        if issued.app_id != app_id:
            raise RefusedError(40013 if issued.kind is CodeKind.PHONE else 40029)
        if not self._store.add(_key("used", code), 1, _KEPT_SECONDS):
            raise RefusedError(40163)
        return issued

    def _find(self, code: str) -> IssuedCode:
        entry = self._store.get(_key("code", code))
        if entry is None:
            raise RefusedError(40029)
        issued = IssuedCode(**entry | {"kind": CodeKind(entry["kind"])})
        if self._clock() >= issued.issued_at + LIFETIMES_SECONDS[issued.kind]:
            raise RefusedError(40029)
        return issued


def _login_code() -> str:
    # Samples begin with 0 and two digits, and characters 4 to 7 are repeated as 28 to 31.
    mark = _random_text(4)
    return f"0{secrets.randbelow(100):02d}{mark}{_random_text(20)}{mark}{_random_text(1)}"


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def _key(purpose: str, code: str) -> str:
    # Codes are untrusted: hashed, they are valid keys of any cache. JSON may contain halves of
    # surrogate pairs, which plain UTF-8 refuses.
    digest = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    return f"wxsandbox:{purpose}:{digest}"

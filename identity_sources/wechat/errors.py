"""The exceptions of WeChat's calls.

    WeChatError
    ├── WeChatUnavailable             no usable answer: connection, time-out, status, body
    └── WeChatRefusal                 WeChat answered with an errcode
        ├── CodeRefused               the user's code is used up; the app needs a new one
        │   ├── InvalidCode           40029, 42003: wrong, expired, or of another app
        │   ├── CodeAlreadyUsed       40163: exchanged before
        │   └── SessionKeyStale       87007, 87009: the session key is gone
        ├── AccessTokenRejected       refresh the application's access token, try once more
        ├── SystemBusy                -1
        ├── LimitReached              a quota is used up; `window` says for how long at most
        ├── UserBlocked               40226: WeChat's risk control refuses this user
        ├── ConsentNeeded             the user has to authorise (again)
        │   └── OpenIdMismatch        40003 with an access token: this OpenID isn't the code's
        ├── SourceMisconfigured       an operator has to act; also every unknown errcode
        └── MalformedCall             a bug of this program

`errcodes` decides which errcode raises which. No exception contains a secret, a code, a token or a
URL, neither in its text nor in its arguments.
"""

import re
from datetime import timedelta
from typing import ClassVar, Literal

from config.kernel.http import HttpFailure
from identity_sources.wechat.masking import cleaned

Reason = Literal[
    HttpFailure,  # unless nothing was sent, a code may be used up
    "bad_status",
    "empty_answer",
    "too_large",
    "unreadable",
]

_RID = re.compile(r"\brid:\s*([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})(?![0-9a-f])")
_OLDER_HINT = re.compile(r"\bhints?:\s*\[\s*(?:req_id:\s*)?([!-Z\\^-~]{1,64})\s*\]")
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class WeChatError(Exception):
    """Any failure of a call to WeChat.

    `is_outage` tells whether it is an outage of WeChat or the network, for a circuit breaker, or
    concerns only this code, user or setting.
    """

    is_outage: ClassVar[bool] = False


class WeChatUnavailable(WeChatError):
    """WeChat gave no usable answer. `reason` is a code, `status` the HTTP status of an error."""

    is_outage = True

    def __init__(self, reason: Reason, *, status: int | None = None) -> None:
        super().__init__(reason if status is None else f"{reason} {status}")
        self.reason: Reason = reason
        self.status = status

    def __str__(self) -> str:
        return f"WeChat gave no usable answer: {super().__str__()}"


class WeChatRefusal(WeChatError):
    """WeChat answered with an errcode other than 0.

    `call` is the name of the call, such as `jscode2session`; `errmsg` is WeChat's text, cleaned and
    truncated: it isn't stable, so no code depends on it. `rid` is the request id, from the text
    unless given; calls under `/sns/` have none. WeChat's support and
    `POST /cgi-bin/openapi/rid/get` can look it up for seven days.
    """

    def __init__(self, *, call: str, errcode: int, errmsg: str, rid: str | None = None) -> None:
        self.call = call
        self.errcode = errcode
        self.errmsg = cleaned(errmsg)
        self.rid = rid or _rid_of(errmsg)
        super().__init__(call, errcode, self.errmsg)

    def __str__(self) -> str:
        return f"{self.call} was refused with errcode {self.errcode}: {self.errmsg}"


class CodeRefused(WeChatRefusal):
    """The user's code can't be used: the app has to get a new one."""


class InvalidCode(CodeRefused):
    """The code is wrong, expired, issued for another app, or of another kind."""


class CodeAlreadyUsed(CodeRefused):
    """The code was exchanged before: a double submit, or a lost answer."""


class SessionKeyStale(CodeRefused):
    """The session key has expired or been replaced: a new `wx.login` gives another."""


class AccessTokenRejected(WeChatRefusal):
    """The application's access token is malformed, expired or not the latest."""


class SystemBusy(WeChatRefusal):
    """WeChat's own "system busy", after one repetition."""

    is_outage = True


class LimitReached(WeChatRefusal):
    """A quota is used up."""

    _WINDOWS: ClassVar[dict[int, timedelta]] = {44990: _SECOND, 45011: _MINUTE}

    @property
    def window(self) -> timedelta:
        """WeChat's period: a second, a minute or a day; afterwards the call works again."""
        return self._WINDOWS.get(self.errcode, _DAY)


class UserBlocked(WeChatRefusal):
    """WeChat's risk control lets this user log in to no mini program; trying again won't help."""


class ConsentNeeded(WeChatRefusal):
    """The user's authorisation is missing, void or of another app: it must be requested."""


class OpenIdMismatch(ConsentNeeded):
    """The OpenID isn't the one that the phone number's code was issued to.

    WeChat doesn't document the errcode of that check; 40003 is assumed.
    """


class SourceMisconfigured(WeChatRefusal):
    """The account's settings, here or at WeChat, need an operator; so does any unknown errcode."""


class MalformedCall(WeChatRefusal):
    """WeChat didn't understand the call: a bug of this program."""


def _rid_of(errmsg: str) -> str | None:
    """Return the request id: today's `rid: 8hex-8hex-8hex`, else that of an older `hints: [ ]`."""
    found = _RID.search(errmsg) or _OLDER_HINT.search(errmsg)
    return found.group(1) if found else None

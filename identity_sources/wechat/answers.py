"""Parse WeChat's answers.

Headers aren't trusted: JSON comes as `text/plain` and without a charset, and failures come with
status 200. Raw control characters and invalid UTF-8 occur inside strings. Unknown fields are
ignored, since WeChat may add some.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

from identity_sources.wechat.errors import WeChatUnavailable

Answer = Mapping[str, object]

_TOO_LARGE = 2**31  # for a column, and for a number of seconds
_LONGEST_ID = 128
_LONGEST_SCOPE = 512
_PLAIN_NO = (None, 0, "0", "")
# WeChat asks to reserve 512 characters; longer ones are accepted as well.
_LONGEST_TOKEN = 2048
_NUMERIC = re.compile(r"-?[0-9]{1,9}")
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_CALLING_CODE = re.compile(r"[1-9][0-9]{0,3}")
_NATIONAL_NUMBER = re.compile(r"[0-9]{1,15}")


def read(status: int, body: bytes) -> Answer:
    """Return the JSON object in an answer.

    Raises WeChatUnavailable: `bad_status`, `empty_answer`, or `unreadable` for HTML, broken JSON
    and anything that isn't an object.
    """
    if status != HTTPStatus.OK:
        raise WeChatUnavailable("bad_status", status=status)
    if not body.strip():
        raise WeChatUnavailable("empty_answer")
    answer = _decoded(body)
    # Raised here: a JSONDecodeError has the whole body, session key included, so it mustn't be the
    # context of this exception.
    if not isinstance(answer, dict):
        raise WeChatUnavailable("unreadable")
    return answer


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def errcode_of(answer: Answer) -> int:
    """Return `errcode`, 0 when it is absent. Some calls send it as text.

    Raises WeChatUnavailable (`unreadable`) if it is no whole number of a size that can be stored.
    """
    errcode = answer.get("errcode", 0)
    if isinstance(errcode, str) and _NUMERIC.fullmatch(errcode):
        errcode = int(errcode)
    if isinstance(errcode, int) and not isinstance(errcode, bool) and abs(errcode) < _TOO_LARGE:
        return errcode
    raise WeChatUnavailable("unreadable")


@dataclass(frozen=True, kw_only=True, slots=True)
class MiniProgramSession:
    """The answer of `jscode2session`.

    `unionid` is None unless the mini program is bound to an Open Platform account. `session_key` is
    24 characters of base64 and mustn't outlive the request.
    Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
    """

    openid: str
    unionid: str | None
    session_key: str = field(repr=False)

    @classmethod
    def parse(cls, answer: Answer) -> Self:
        """Read `openid`, `session_key` and, where present, `unionid`.

        Raises WeChatUnavailable (`unreadable`) if one is missing or of a wrong type.
        """
        return cls(
            openid=_text(answer, "openid", longest=_LONGEST_ID),
            unionid=_text_or_none(answer, "unionid", longest=_LONGEST_ID),
            session_key=_text(answer, "session_key", longest=_LONGEST_ID),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuthIdentity:
    """Who logged in, by the answer of `/sns/oauth2/access_token`.

    `unionid` is None where WeChat gave none: an official account without the scope
    `snsapi_userinfo` or without an Open Platform account. `scope` is what the person granted.
    A snapshot user isn't a real person, nor are its OpenID and UnionID: it mustn't be logged in.
    WeChat also sends an access and a refresh token of the person; they aren't needed, and not
    read.
    Source: https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
    """

    openid: str
    unionid: str | None
    scope: tuple[str, ...]
    is_snapshot_user: bool

    @classmethod
    def parse(cls, answer: Answer) -> Self:
        """Read `openid` and, where present, `unionid`, `scope` and `is_snapshotuser`.

        Raises WeChatUnavailable (`unreadable`) if one is of a wrong type, or there is no `openid`.
        """
        scope = _text_or_none(answer, "scope", longest=_LONGEST_SCOPE) or ""
        return cls(
            openid=_text(answer, "openid", longest=_LONGEST_ID),
            unionid=_text_or_none(answer, "unionid", longest=_LONGEST_ID),
            scope=tuple(name for name in scope.split(",") if name),
            # WeChat sends 1 or nothing; any other value but a plain no counts as 1.
            is_snapshot_user=answer.get("is_snapshotuser") not in _PLAIN_NO,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AppAccessToken:
    """The answer of `stable_token`: the application's access token, `expires_in` in seconds.

    Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/mp-access-token/api_getstableaccesstoken
    """

    access_token: str = field(repr=False)
    expires_in: int

    @classmethod
    def parse(cls, answer: Answer) -> Self:
        """Read `access_token` and `expires_in`.

        Raises WeChatUnavailable (`unreadable`) if one is missing, of a wrong type or not positive.
        """
        return cls(
            access_token=_text(answer, "access_token", longest=_LONGEST_TOKEN),
            expires_in=_positive(answer, "expires_in"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneNumber:
    """The `phone_info` in the answer of `getuserphonenumber`.

    `country_code` and `pure_number` are digits only. The watermark names the app that the person
    gave the number to and when (Unix time in seconds); comparing the app is up to the caller.
    Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber
    """

    country_code: str
    pure_number: str = field(repr=False)
    watermark_app_id: str
    watermark_timestamp: int

    @classmethod
    def parse(cls, answer: Answer) -> Self:
        """Read `phone_info`; `countryCode` may be text or a number.

        Raises WeChatUnavailable (`unreadable`) if a field is missing or of a wrong type.
        """
        phone_info = _object(answer, "phone_info")
        watermark = _object(phone_info, "watermark")
        return cls(
            country_code=_digits(phone_info.get("countryCode"), _CALLING_CODE),
            # Never from a number: that would lose the leading zero that some countries need.
            pure_number=_digits(
                _text(phone_info, "purePhoneNumber", longest=_LONGEST_ID), _NATIONAL_NUMBER
            ),
            watermark_app_id=_text(watermark, "appid", longest=_LONGEST_ID),
            watermark_timestamp=_positive(watermark, "timestamp"),
        )

    @property
    def e164(self) -> str:
        """The number with `+` and calling code. WeChat's `phoneNumber` isn't parsed for it."""
        return f"+{self.country_code}{self.pure_number}"


def _object(answer: Answer, name: str) -> Answer:
    value = answer.get(name)
    if not isinstance(value, dict):
        raise WeChatUnavailable("unreadable")
    return value


def _text(answer: Answer, name: str, *, longest: int) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or len(value) > longest or not _VISIBLE_ASCII.fullmatch(value):
        raise WeChatUnavailable("unreadable")
    return value


def _text_or_none(answer: Answer, name: str, *, longest: int) -> str | None:
    return None if answer.get(name) in (None, "") else _text(answer, name, longest=longest)


def _positive(answer: Answer, name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _TOO_LARGE:
        raise WeChatUnavailable("unreadable")
    return value


def _digits(value: object, pattern: re.Pattern[str]) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise WeChatUnavailable("unreadable")
    if not pattern.fullmatch(str(value)):
        raise WeChatUnavailable("unreadable")
    return str(value)

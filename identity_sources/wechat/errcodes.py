"""Decide which exception an errcode raises.

The same errcode speaks of different things, depending on what the call proved itself with: 40001
on a call with an access token asks for a fresh token, with an AppSecret for an operator.
Sources: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session,
https://developers.weixin.qq.com/doc/channels/API/basics/commErrCode.html and the lists of WxJava.
"""

from collections.abc import Mapping
from enum import Enum

from identity_sources.wechat.errors import (
    AccessTokenRejected,
    CodeAlreadyUsed,
    ConsentNeeded,
    InvalidCode,
    LimitReached,
    MalformedCall,
    OpenIdMismatch,
    SessionKeyStale,
    SourceMisconfigured,
    SystemBusy,
    UserBlocked,
    WeChatRefusal,
)


class Credential(Enum):
    """What a call proves itself with."""

    APP_SECRET = "app_secret"  # noqa: S105 - a name
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a name; the application's token
    USER_TOKEN = "user_token"  # noqa: S105 - a name; a user's token, on calls under /sns/


# fmt: off
_ERRCODES: Mapping[type[WeChatRefusal], tuple[int, ...]] = {
    SystemBusy: (-1,),
    InvalidCode: (40029, 42003),
    CodeAlreadyUsed: (40163,),
    SessionKeyStale: (87007, 87009),
    AccessTokenRejected: (40001, 40014, 42001),
    LimitReached: (44990, 44993, 45009, 45011, 85406),
    UserBlocked: (40226,),
    ConsentNeeded: (40003, 40030, 42002, 42007, 50001, 50005),
    SourceMisconfigured: (
        40013, 40125, 40164, 40243, 48001, 48004, 50002, 50004, 50007, 61004, 89002,
        89501, 89502, 89503, 89504, 89505, 89506, 89507,
    ),
    MalformedCall: (
        40002, 40033, 40097, 40129, 40159, 40169, 41001, 41002, 41003, 41004, 41008, 41009, 41030,
        43001, 43002, 43003, 44002, 47001, 47002, 85096, 87008,
    ),
}
# fmt: on
_USUAL: Mapping[int, type[WeChatRefusal]] = {
    errcode: refusal for refusal, errcodes in _ERRCODES.items() for errcode in errcodes
}
_EXCEPTIONS: Mapping[tuple[Credential, int], type[WeChatRefusal]] = {
    (Credential.APP_SECRET, 40001): SourceMisconfigured,
    (Credential.APP_SECRET, 40003): MalformedCall,
    (Credential.ACCESS_TOKEN, 40003): OpenIdMismatch,
    (Credential.USER_TOKEN, 40001): ConsentNeeded,
    (Credential.USER_TOKEN, 40014): ConsentNeeded,
    (Credential.USER_TOKEN, 42001): ConsentNeeded,
    (Credential.USER_TOKEN, 48001): ConsentNeeded,
}
KNOWN_ERRCODES = frozenset(_USUAL)


def refusal_class(errcode: int, credential: Credential) -> type[WeChatRefusal]:
    """Return the exception class of an errcode other than 0 on a call with this credential."""
    usual = _USUAL.get(errcode, SourceMisconfigured)
    return _EXCEPTIONS.get((credential, errcode), usual)


def refusal(
    *, call: str, credential: Credential, errcode: int, errmsg: str, rid: str | None = None
) -> WeChatRefusal:
    """Build the exception of an errcode; also to repeat a refusal whose facts were stored."""
    return refusal_class(errcode, credential)(call=call, errcode=errcode, errmsg=errmsg, rid=rid)

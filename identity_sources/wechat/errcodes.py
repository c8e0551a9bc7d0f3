"""Decide which exception an errcode raises.

The meaning of an errcode depends on the call's credential: 40001 on a call with an access token
needs a new token, on a call with an AppSecret an operator.
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
    """The credential of a call."""

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
    # The token is our own, so it is the code that is another app's.
    (Credential.ACCESS_TOKEN, 40013): InvalidCode,
    (Credential.USER_TOKEN, 40001): ConsentNeeded,
    (Credential.USER_TOKEN, 40014): ConsentNeeded,
    (Credential.USER_TOKEN, 42001): ConsentNeeded,
    (Credential.USER_TOKEN, 48001): ConsentNeeded,
}
KNOWN_ERRCODES = frozenset(_USUAL)

# A ban concerns the account, not the credential; it isn't documented which of the two WeChat checks
# first, the ban or the code.
BANS = frozenset({48004, 50002, 50004, 50007})
_ADDRESSES = frozenset({40164, 61004, *range(89501, 89508)})
_CREDENTIALS = frozenset({40001, 40013, 40125, 40243})
# The errcodes that only wrong settings cause, by credential. Errcodes that anybody can cause by
# sending a code are left out: with an access token 40013 is a phone code of another app, and 48001
# a phone code for an app without permission for phone numbers; 40001 is a token to be replaced
# there. A user's token says nothing about the settings, and the cause of unknown errcodes is
# unknown.
_ACCUSING: Mapping[Credential, frozenset[int]] = {
    Credential.APP_SECRET: _CREDENTIALS | _ADDRESSES | BANS,
    Credential.ACCESS_TOKEN: _ADDRESSES | BANS,
    Credential.USER_TOKEN: frozenset(),
}
# Refusals of a code or a person, after WeChat has accepted the app's credentials.
_ABOUT_THE_CODE: Mapping[str, frozenset[int]] = {
    "jscode2session": frozenset({40029, 40163, 40226}),
    "oauth2_access_token": frozenset({40029, 40163, 42003}),
    "getuserphonenumber": frozenset({40029}),
}


def refusal_class(errcode: int, credential: Credential) -> type[WeChatRefusal]:
    """Return the exception class of an errcode other than 0 on a call with this credential."""
    usual = _USUAL.get(errcode, SourceMisconfigured)
    return _EXCEPTIONS.get((credential, errcode), usual)


def refusal(
    *, call: str, credential: Credential, errcode: int, errmsg: str, rid: str | None = None
) -> WeChatRefusal:
    """Build the exception of an errcode, also from the stored facts of a refusal."""
    return refusal_class(errcode, credential)(call=call, errcode=errcode, errmsg=errmsg, rid=rid)


def accuses_settings(errcode: int, credential: Credential) -> bool:
    """Tell whether an errcode can only mean that an operator has to change something.

    That is the AppID, the AppSecret, the API IP list, or a ban of the account. Errcodes that a
    client can cause by sending some code are excluded, so that nobody can make a source fail from
    outside.
    """
    return errcode in _ACCUSING[credential]


def settings_accepted(call: str, errcode: int, credential: Credential) -> bool | None:
    """Tell what an answer shows about the operator's settings.

    True: WeChat accepted them, though it may have refused the code (which shows nothing about
    `BANS`). False: it refused them. None: the answer doesn't show it.
    """
    if errcode == 0 or errcode in _ABOUT_THE_CODE.get(call, ()):
        return True
    return False if accuses_settings(errcode, credential) else None

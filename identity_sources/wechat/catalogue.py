"""The meaning of WeChat's errcodes and their remedies, for operators.

The menu paths are those of https://developers.weixin.qq.com/doc/oplatform/developers/dev/api, in
Chinese as on the screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass


def gettext_noop(message: str) -> str:
    """Mark a text for `makemessages`, which looks for this name, and return it unchanged.

    The console translates it at display time; this package has only English.
    """
    return message


@dataclass(frozen=True, slots=True)
class Explanation:
    """The meaning of an errcode and its remedy, in English as source for translation."""

    meaning: str
    remedy: str


_NO_ACTION = gettext_noop("Nothing needs doing: the app asks the user to try again.")
_AUTHORISE_AGAIN = gettext_noop("The user has to go through WeChat's authorisation again.")
_TOKEN_REMEDY = gettext_noop(
    "A fresh token is fetched by itself. If this keeps happening, look for another system that"
    " refreshes tokens of this AppID by force, or check that the AppID is the right one."
)
_SESSION_KEY_REMEDY = gettext_noop(
    "The mini program has to call wx.login again and send the new code."
)
_DAILY_REMEDY = gettext_noop(
    "It works again the next day; WeChat lets an account clear its quotas ten times a month. If the"
    " number of calls is a surprise, look for whoever else uses this AppID."
)

_BUSY = Explanation(
    gettext_noop("WeChat's servers were too busy to answer."),
    gettext_noop("Nothing needs doing: users can try again. If it lasts, ask WeChat's support."),
)
_SESSION_KEY_GONE = Explanation(
    gettext_noop("The user's session key has expired or was replaced by a newer login."),
    _SESSION_KEY_REMEDY,
)
_REFRESH_TOKEN_VOID = Explanation(
    gettext_noop("The user's refresh token is invalid or has expired."), _AUTHORISE_AGAIN
)
_DAILY_LIMIT = Explanation(
    gettext_noop("The account's daily quota for this call is used up."), _DAILY_REMEDY
)
_IP_LIST = Explanation(
    gettext_noop("This server's outgoing address isn't on the account's API IP list."),
    gettext_noop(
        "Add the address that WeChat's message shows. Mini program: mp.weixin.qq.com, 开发管理 >"
        " 开发设置 > IP白名单. Official account: developers.weixin.qq.com/platform, 我的业务 >"
        " 基础信息 > 开发密钥. It takes some minutes to apply. If the address changes from call to"
        " call, send outgoing calls through one proxy."
    ),
)
_IP_CONFIRMATION = Explanation(
    gettext_noop(
        "WeChat holds back calls from this server's address until an administrator of the account"
        " allows them."
    ),
    gettext_noop("The administrator finds a message in WeChat and confirms it; then try again."),
)
APPEAL = gettext_noop(
    "Read the notices of the account in WeChat's console and settle or appeal what they say. Users"
    " can't log in through this source until then, so offer them another way."
)
_REPORT = gettext_noop(
    "No setting causes this: it is a fault of Unionpass, or of a proxy that changes requests."
    " Report it with the errcode and the request id."
)
_CHECK_APP_ID = gettext_noop(
    "Check that the source has an AppID and an AppSecret. If both are there, it is a fault of"
    " Unionpass: report it with the errcode and the request id."
)
_CHECK_PAGE = gettext_noop(
    "Check that the page named in the source's settings exists in the released version of the mini"
    " program. If it does, report this with the errcode and the request id."
)

EXPLANATIONS: Mapping[int, Explanation] = {
    # Errors of one login: codes, users, tokens, limits.
    -1: _BUSY,
    40001: Explanation(
        gettext_noop("WeChat didn't accept the credential: an access token or the AppSecret."),
        gettext_noop(
            "A stale access token is replaced by itself. If it keeps happening, check the AppSecret"
            " and look for another system that refreshes tokens of this AppID by force."
        ),
    ),
    40003: Explanation(
        gettext_noop("The OpenID doesn't belong to this app, or the code isn't this user's."),
        gettext_noop(
            "Check that the app in use and this source have the same AppID. For a phone number:"
            " it was given in another user's session and isn't taken over."
        ),
    ),
    40014: Explanation(gettext_noop("The access token is malformed."), _TOKEN_REMEDY),
    40029: Explanation(
        gettext_noop(
            "The code is wrong, too old, of another kind, or was issued to another AppID."
        ),
        gettext_noop(
            "Single cases need nothing. If every login fails, the mini program or page was built"
            " with another AppID than this source has: compare the two. A code of the phone number"
            " button doesn't log in, and the other way round."
        ),
    ),
    40030: _REFRESH_TOKEN_VOID,
    40163: Explanation(
        gettext_noop("The code was exchanged before: a double tap, or a request sent twice."),
        gettext_noop(
            "Single cases need nothing. If it happens often, check that the app sends each code"
            " once and that no other backend exchanges it as well."
        ),
    ),
    40226: Explanation(
        gettext_noop("WeChat's risk control keeps this user from logging in to mini programs."),
        gettext_noop("Nothing can be changed here. Offer the user another way to log in."),
    ),
    42001: Explanation(gettext_noop("The access token has expired."), _TOKEN_REMEDY),
    42002: _REFRESH_TOKEN_VOID,
    42003: Explanation(gettext_noop("The authorisation code has expired."), _NO_ACTION),
    42007: Explanation(
        gettext_noop("The user changed the WeChat password, which voided earlier tokens."),
        _AUTHORISE_AGAIN,
    ),
    44990: Explanation(
        gettext_noop("Too many calls within one second."),
        gettext_noop("Nothing needs doing: users can try again at once."),
    ),
    44993: _DAILY_LIMIT,
    45009: _DAILY_LIMIT,
    45011: Explanation(
        gettext_noop("Too many calls within one minute, by the account or by one user."),
        gettext_noop(
            "Users can try again after a minute. If it happens often, look for an app that calls"
            " wx.login in a loop."
        ),
    ),
    50001: Explanation(
        gettext_noop("The user hasn't authorised the app for this information."), _AUTHORISE_AGAIN
    ),
    50005: Explanation(
        gettext_noop("The user doesn't follow the official account."),
        gettext_noop("The user has to follow the account first."),
    ),
    85406: Explanation(
        gettext_noop("The daily number of visits through links is used up."), _DAILY_REMEDY
    ),
    87007: _SESSION_KEY_GONE,
    87009: _SESSION_KEY_GONE,
    # Errors for an operator to fix: secrets, addresses, bans, permissions.
    40013: Explanation(
        gettext_noop("WeChat doesn't know the AppID, or the code is of another app."),
        gettext_noop(
            "Compare the AppID with the one in WeChat's console, blanks and letter case included,"
            " and check that the app in use has the same AppID."
        ),
    ),
    40125: Explanation(
        gettext_noop("The AppSecret is wrong, or it was reset and this is the old one."),
        gettext_noop(
            "Enter the current AppSecret. WeChat shows it only when it is made; if it is lost,"
            " reset it. Mini program: mp.weixin.qq.com, 管理 > 开发管理 > 开发设置. Official"
            " account: developers.weixin.qq.com/platform, 我的业务 > 基础信息 > 开发密钥. Website"
            " app: open.weixin.qq.com, 管理中心."
        ),
    ),
    40164: _IP_LIST,
    40243: Explanation(
        gettext_noop("The AppSecret was frozen by an administrator of the account."),
        gettext_noop(
            "Unfreeze it where AppSecrets are kept. Mini program: mp.weixin.qq.com, 管理 > 开发管理"
            " > 开发设置. Official account: developers.weixin.qq.com/platform, 我的业务 > 基础信息"
            " > 开发密钥. It stays the same and works again after about ten minutes."
        ),
    ),
    48001: Explanation(
        gettext_noop("The account or the access token has no permission for this call."),
        gettext_noop(
            "Check in WeChat's console that the account is verified and has this permission, and"
            " that the source's type fits the account. For a web login: the user was asked for too"
            " small a scope."
        ),
    ),
    48004: Explanation(
        gettext_noop("WeChat has banned this call for the account because of a violation."),
        APPEAL,
    ),
    50002: Explanation(
        gettext_noop("The account is banned, cancelled, or frozen by a migration."), APPEAL
    ),
    50004: Explanation(
        gettext_noop("WeChat has forbidden the account to get access tokens."), APPEAL
    ),
    50007: Explanation(gettext_noop("WeChat has frozen the account."), APPEAL),
    61004: _IP_LIST,
    89002: Explanation(
        gettext_noop("The account isn't bound to a WeChat Open Platform account."),
        gettext_noop(
            "Bind it at open.weixin.qq.com. Without that, WeChat gives no UnionID and people can't"
            " be recognised across apps."
        ),
    ),
    89501: _IP_CONFIRMATION,
    89502: _IP_CONFIRMATION,
    89503: _IP_CONFIRMATION,
    89504: _IP_CONFIRMATION,
    89505: _IP_CONFIRMATION,
    89506: Explanation(
        gettext_noop("An administrator refused this server's address; WeChat blocks it for a day."),
        gettext_noop(
            "Ask the account's administrator why. After 24 hours try again, and have the call"
            " confirmed in WeChat."
        ),
    ),
    89507: Explanation(
        gettext_noop(
            "An administrator refused this server's address; WeChat blocks it for an hour."
        ),
        gettext_noop(
            "Ask the account's administrator why. After an hour try again, and have the call"
            " confirmed in WeChat."
        ),
    ),
    # Malformed calls: bugs of this program.
    40002: Explanation(
        gettext_noop("The grant type was wrong, or the account may not make links."), _REPORT
    ),
    40033: Explanation(gettext_noop("The request held escaped characters."), _REPORT),
    40097: Explanation(gettext_noop("An argument of the request was wrong."), _REPORT),
    40129: Explanation(gettext_noop("The scene of a mini program code was wrong."), _REPORT),
    40159: Explanation(gettext_noop("The path of a mini program code was wrong."), _CHECK_PAGE),
    40169: Explanation(gettext_noop("The scene of a mini program code was too long."), _REPORT),
    41001: Explanation(gettext_noop("The access token was missing."), _REPORT),
    41002: Explanation(gettext_noop("The AppID was missing."), _CHECK_APP_ID),
    41003: Explanation(gettext_noop("The refresh token was missing."), _REPORT),
    41004: Explanation(gettext_noop("The AppSecret was missing."), _CHECK_APP_ID),
    41008: Explanation(gettext_noop("The code was missing."), _REPORT),
    41009: Explanation(gettext_noop("The OpenID was missing."), _REPORT),
    41030: Explanation(gettext_noop("The mini program has no such page."), _CHECK_PAGE),
    43001: Explanation(gettext_noop("The call has to be a GET."), _REPORT),
    43002: Explanation(gettext_noop("The call has to be a POST."), _REPORT),
    43003: Explanation(
        gettext_noop("The call has to use HTTPS."),
        gettext_noop("Check that the setting of WeChat's API URL begins with https."),
    ),
    44002: Explanation(gettext_noop("The body of the request was empty."), _REPORT),
    47001: Explanation(gettext_noop("The body of the request was no valid JSON."), _REPORT),
    47002: Explanation(gettext_noop("The body of the request held escaped characters."), _REPORT),
    85096: Explanation(
        gettext_noop("A mini program code used a parameter name that WeChat reserves."), _REPORT
    ),
    87008: Explanation(gettext_noop("The signature method was wrong."), _REPORT),
}
UNKNOWN = Explanation(
    gettext_noop("WeChat refused the call with an errcode that isn't known here."),
    gettext_noop(
        "Look the errcode up in WeChat's documentation; WeChat's support can look up the request id"
        " for seven days. Check that the account is in good standing in WeChat's console."
    ),
)


def explain(errcode: int) -> Explanation:
    """Return the explanation of an errcode, a general one for an unknown errcode."""
    return EXPLANATIONS.get(errcode, UNKNOWN)

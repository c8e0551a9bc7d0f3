"""Explanations of what an operator has to put right: secrets, addresses, bans, permissions."""

from collections.abc import Mapping

from identity_sources.wechat.explanation import Explanation, gettext_noop

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

ACCOUNT_EXPLANATIONS: Mapping[int, Explanation] = {
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
}

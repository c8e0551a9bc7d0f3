"""Explanations of calls that WeChat couldn't understand: faults of this program."""

from collections.abc import Mapping

from identity_sources.wechat.explanation import Explanation, gettext_noop

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

FAULT_EXPLANATIONS: Mapping[int, Explanation] = {
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

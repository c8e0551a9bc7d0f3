"""Explanations of what goes wrong with one login: codes, users, tokens, limits."""

from collections.abc import Mapping

from identity_sources.wechat.explanation import Explanation, gettext_noop

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

LOGIN_EXPLANATIONS: Mapping[int, Explanation] = {
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
}

"""Say what WeChat's errcodes mean and what to do about them, in words for an operator.

The menu paths are those of https://developers.weixin.qq.com/doc/oplatform/developers/dev/api,
in Chinese as on the screen.
"""

from collections.abc import Mapping

from identity_sources.wechat.catalogue_accounts import ACCOUNT_EXPLANATIONS
from identity_sources.wechat.catalogue_faults import FAULT_EXPLANATIONS
from identity_sources.wechat.catalogue_logins import LOGIN_EXPLANATIONS
from identity_sources.wechat.explanation import Explanation, gettext_noop

EXPLANATIONS: Mapping[int, Explanation] = {
    **LOGIN_EXPLANATIONS,
    **ACCOUNT_EXPLANATIONS,
    **FAULT_EXPLANATIONS,
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

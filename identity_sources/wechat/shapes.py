r"""Check the form of values loosely, to refuse typing errors without a call.

AppID and AppSecret have this form in every sample; the length of codes isn't documented, so it is
only limited. Patterns end in `\Z` (a `$` would let a trailing line break pass).
Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session
"""

import re

APP_ID_PATTERN = r"^wx[0-9a-f]{16}\Z"
APP_SECRET_PATTERN = r"^[0-9a-f]{32}\Z"  # noqa: S105 - a pattern, not a secret
CODE_PATTERN = r"^[0-9A-Za-z_-]{1,256}\Z"

# What `wx.login` gives in WeChat's developer tools with the tourist AppID; it proves nothing.
MOCK_CODE = "the code is a mock one"


def is_app_id(value: str) -> bool:
    """Tell whether this looks like the AppID of a mini program, account or website app."""
    return re.match(APP_ID_PATTERN, value) is not None


def is_app_secret(value: str) -> bool:
    """Tell whether this looks like an AppSecret."""
    return re.match(APP_SECRET_PATTERN, value) is not None


def is_code(value: str) -> bool:
    """Tell whether this may be a code: of `wx.login`, OAuth or a phone number; all look alike."""
    return re.match(CODE_PATTERN, value) is not None

"""The console's pages of people and their logins.

::

    users.py         people: the list, the page of one, adding and changing
    user_form.py     what may be typed in about a person
    user_tabs.py     what stands beside: WeChat, sessions, logins, history
    user_actions.py  suspending, closing, and taking it back
    merges.py        merging two people by hand; undoing a merge
    review.py        the conflicts that no rule may decide
    events.py        attempts to log in, each with its reason; one of them opens its trace
    signing_keys.py  the pool's signing keys, and their rotation
    wechat_events.py what WeChat pushed, and what came of it
    filters.py       what the lists are filtered by
"""

from accounts.admin.events import LoginEventAdmin
from accounts.admin.review import ConflictAdmin
from accounts.admin.signing_keys import SigningKeyAdmin
from accounts.admin.users import UserAdmin
from accounts.admin.wechat_events import WeChatEventAdmin

__all__ = ["ConflictAdmin", "LoginEventAdmin", "SigningKeyAdmin", "UserAdmin", "WeChatEventAdmin"]

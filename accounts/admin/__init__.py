"""The console's pages about users and their logins.

::

    users.py          users: the list, the page of one user, adding and changing
    user_form.py      the form for adding and changing a user
    user_tabs.py      the tabs of a user: WeChat, sessions, logins, history
    user_actions.py   suspending and closing an account, and reversing both
    merges.py         merging two users by hand; undoing a merge
    review.py         the list of conflicts that wait for an operator's decision
    events.py         login events, each with its reason and its trace
    wechat_events.py  the events that WeChat pushed, and what was done about each
    signing_keys.py   the pool's signing keys and their rotation
    filters.py        the filters of the lists
"""

from accounts.admin.events import LoginEventAdmin
from accounts.admin.review import ConflictAdmin
from accounts.admin.signing_keys import SigningKeyAdmin
from accounts.admin.users import UserAdmin
from accounts.admin.wechat_events import WeChatEventAdmin

__all__ = ["ConflictAdmin", "LoginEventAdmin", "SigningKeyAdmin", "UserAdmin", "WeChatEventAdmin"]

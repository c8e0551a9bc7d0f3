"""The console's pages of people and their logins.

::

    users.py    people with their linked accounts and sessions; suspending them
    events.py   attempts to log in, each with its reason; one of them opens its trace
    filters.py  what the lists are filtered by
"""

from accounts.admin.events import LoginEventAdmin
from accounts.admin.users import UserAdmin

__all__ = ["LoginEventAdmin", "UserAdmin"]

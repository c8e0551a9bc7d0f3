"""People, their sessions and their logins."""

from accounts.models.logins import CodeExchange, LoginEvent
from accounts.models.people import LinkedAccount, User, new_sub
from accounts.models.sessions import RefreshToken, Session

__all__ = [
    "CodeExchange",
    "LinkedAccount",
    "LoginEvent",
    "RefreshToken",
    "Session",
    "User",
    "new_sub",
]

"""People, their sessions and their logins."""

from accounts.models.binding import PROOFS, BindingTicket, EmailCode, Tally
from accounts.models.history import AccountEvent, BlockedIdentity, WeChatEvent
from accounts.models.logins import CodeExchange, LoginEvent
from accounts.models.merging import Conflict, Merge
from accounts.models.people import LinkedAccount, User, new_sub
from accounts.models.sessions import RefreshToken, Session

__all__ = [
    "PROOFS",
    "AccountEvent",
    "BindingTicket",
    "BlockedIdentity",
    "CodeExchange",
    "Conflict",
    "EmailCode",
    "LinkedAccount",
    "LoginEvent",
    "Merge",
    "RefreshToken",
    "Session",
    "Tally",
    "User",
    "WeChatEvent",
    "new_sub",
]

"""People, their sessions and their logins."""

from accounts.models.binding import PROOFS, BindingTicket, EmailCode, Tally
from accounts.models.browser_login import (
    AuthorizationRequest,
    BrowserSession,
    Consent,
    DeviceAuthorization,
    WeChatTrip,
)
from accounts.models.grants import AuthorizationCode, PushedRequest, RevokedAccessToken
from accounts.models.history import AccountEvent, BlockedIdentity, WeChatEvent
from accounts.models.logins import CodeExchange, LoginEvent
from accounts.models.logout_notices import LogoutNotice
from accounts.models.merging import Conflict, Merge
from accounts.models.people import LinkedAccount, User, new_sub
from accounts.models.sessions import RefreshToken, Session

__all__ = [
    "PROOFS",
    "AccountEvent",
    "AuthorizationCode",
    "AuthorizationRequest",
    "BindingTicket",
    "BlockedIdentity",
    "BrowserSession",
    "CodeExchange",
    "Conflict",
    "Consent",
    "DeviceAuthorization",
    "EmailCode",
    "LinkedAccount",
    "LoginEvent",
    "LogoutNotice",
    "Merge",
    "PushedRequest",
    "RefreshToken",
    "RevokedAccessToken",
    "Session",
    "Tally",
    "User",
    "WeChatEvent",
    "WeChatTrip",
    "new_sub",
]

"""The tables of users, their sessions and their logins.

::

    people.py          users and linked accounts
    sessions.py        sessions and refresh tokens
    logins.py          login events, and the exchange of WeChat codes
    browser_login.py   browser sessions, and authorization requests that wait for a person
    grants.py          authorization codes, pushed requests, revoked access tokens
    binding.py         binding tickets, codes by e-mail, counted tries
    merging.py         conflicts and merges
    history.py         account events, blocked identities, WeChat events
    logout_notices.py  logout tokens that have to be delivered
"""

from accounts.models.binding import PROOFS, BindingTicket, EmailCode, Tally
from accounts.models.browser_login import (
    AuthorizationRequest,
    BrowserSession,
    Consent,
    DeviceAuthorization,
    WeChatState,
)
from accounts.models.grants import AuthorizationCode, PushedRequest, RevokedAccessToken
from accounts.models.history import AccountEvent, BlockedIdentity, WeChatEvent
from accounts.models.logins import CodeExchange, LoginEvent
from accounts.models.logout_notices import LogoutNotice
from accounts.models.merging import Conflict, Merge
from accounts.models.people import (
    LinkedAccount,
    LinkedIdentity,
    User,
    linked_identities,
    new_sub,
)
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
    "LinkedIdentity",
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
    "WeChatState",
    "linked_identities",
    "new_sub",
]

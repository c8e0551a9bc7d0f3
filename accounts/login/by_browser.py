"""A login in a browser: WeChat redirects back with a code, and a browser session begins.

The rules are the same as for every door (accounts/login/rules.py). No tokens are made here: the
application gets them for its authorization code.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Model

from accounts.locking import in_transaction
from accounts.login.arrival import Arrival, attempt, choose_method
from accounts.login.codes import identify_by_redirect
from accounts.login.rules import begin, ticket_for_stranger
from accounts.login.trail import Trail
from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    LoginEvent,
    Session,
    WeChatState,
)
from accounts.sessions.browsers import new_browser_session
from accounts.sessions.scopes import understood_scopes
from applications.models import Application, LoginMethod
from applications.offers import Offer, is_usable, known_application
from applications.rules import Way
from config.kernel.encryption import token_hash
from config.kernel.errors import InvalidClient
from config.kernel.rows import Joined, insert, use_up, uuid_parameter
from userpools.models import UserPool

STATE_BYTES = 32
STATE_LIVES = timedelta(minutes=15)

WAYS_OF_A_BROWSER = (Way.WEBSITE_QR,)
"""The ways in that the login page supports."""

_FOUND = Joined(state=WeChatState, request=AuthorizationRequest)
_FIND_STATE = (
    f"SELECT {_FOUND.sql} FROM accounts_wechattrip state"  # noqa: S608 - names of columns
    " JOIN accounts_authorizationrequest request ON request.id = state.request_id"
    " WHERE state.state_hash = %s AND request.browser_hash = %s AND request.pool_id = %s"
)


@dataclass(frozen=True, kw_only=True)
class SignedOn:
    """A completed login; ``secret`` goes into the browser's cookie."""

    session: Session
    secret: str = field(repr=False)
    is_answered: bool
    """whether the request was answered with the given code"""


def arrive_by_redirect(
    offer: Offer, trail: Trail, method: LoginMethod, code: str, *, scope: str | None = None
) -> Arrival:
    """Exchange the code of a redirect from WeChat, and return the person who arrives.

    Raises:
        ApplicationDisabled, LoginMethodDisabled, IdentitySourceDisabled: the method was switched
            off since.
        LoginRefused: WeChat refuses the code or can't be asked.

    """
    understood = understood_scopes(scope, offer.application.type)
    chosen = choose_method(offer, trail, method.identity_source.identifier, understood)
    identity = identify_by_redirect(chosen, code, trail)
    return Arrival(method=chosen, identity=identity, scope=understood, trail=trail)


def browser_methods(application: Application) -> list[LoginMethod]:
    """Return the login methods that work in a browser, in the operator's order."""
    return [
        method
        for method in known_application(application.client_id).methods
        if method.way in WAYS_OF_A_BROWSER and is_usable(method.identity_source)
    ]


def new_state(pending: AuthorizationRequest, method: LoginMethod, *, now: datetime) -> str:
    """Store and return a new ``state`` for a redirect to WeChat.

    It is hexadecimal, because WeChat's official accounts accept only letters and digits.
    """
    state = secrets.token_hex(STATE_BYTES)
    row = WeChatState(
        request=pending,
        login_method=method,
        state_hash=token_hash(state),
        expires_at=now + STATE_LIVES,
    )
    insert(row)
    return state


def spend_state(
    pool: UserPool, unverified_state: str, *, source: str, browser_secret: str, now: datetime
) -> WeChatState | None:
    """Use up the ``state`` of a redirect from WeChat, and return its row.

    Return None if it is unknown, used or expired, or belongs to another source or browser.
    """
    hashes = token_hash(unverified_state), token_hash(browser_secret)
    found = _FOUND.one(_FIND_STATE, [*hashes, uuid_parameter(pool.pk)])
    if found is None:
        return None
    state, pending = found
    if state.expires_at <= now or not is_open(pending, pool, now=now):
        return None
    state.request, state.login_method = pending, _method_of(state, pending.application)
    if state.login_method.identity_source.identifier != source:
        return None
    return state if use_up(state, "used_at", now) else None


def sign_on(
    state: WeChatState, code: str, *, answer: AuthorizationCode | None = None, now: datetime
) -> SignedOn:
    """Log in the person that WeChat identifies by the code, and record the attempt.

    ``answer`` is an authorization code that is stored with the session, if whoever logs in may be
    answered at once.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    pending, method = state.request, state.login_method
    client_id, way = pending.application.client_id, Way(method.way)
    with attempt(client_id, way, door=LoginEvent.Door.HOSTED, now=now) as (offer, trail):
        scope = pending.parameters.get("scope")
        arrival = arrive_by_redirect(offer, trail, method, code, scope=scope)
        with ticket_for_stranger(arrival, bound_to=str(pending.pk)):
            return enter_browser(pending, arrival, answer)


@in_transaction
def enter_browser(
    pending: AuthorizationRequest, arrival: Arrival, answer: AuthorizationCode | None = None
) -> SignedOn:
    """Begin a session and a browser session for a person who arrived.

    With an authorization code the request is answered in the same transaction, unless it was
    answered before.

    Raises:
        DomainError: a rule refuses the identity.

    """
    session, now = begin(arrival), arrival.trail.at
    browser_session, secret = new_browser_session(session, now=now)
    rows: list[Model] = [browser_session, session]
    is_answered = answer is not None and use_up(pending, "answered_at", now, session=session.pk)
    if answer and is_answered:
        answer.session = session
        rows.append(answer)
    else:
        AuthorizationRequest.objects.filter(pk=pending.pk).update(session=session.pk)
    arrival.trail.signed_on()
    arrival.trail.record_success(session, *rows)
    return SignedOn(session=session, secret=secret, is_answered=is_answered)


def is_open(pending: AuthorizationRequest, pool: UserPool, *, now: datetime) -> bool:
    """Tell whether a stored request can still be answered; it gets its pool and its application."""
    if pending.answered_at is not None or pending.expires_at <= now:
        return False
    try:
        known = known_application(pending.parameters.get("client_id", ""))
    except InvalidClient:
        return False
    pending.pool, pending.application = pool, known.application
    return True


def _method_of(state: WeChatState, application: Application) -> LoginMethod:
    """Return the state's login method, from memory unless it was switched off since."""
    methods = known_application(application.client_id).methods
    offered = (method for method in methods if method.pk == state.login_method_id)
    return next(offered, None) or LoginMethod.objects.select_related("identity_source").get(
        pk=state.login_method_id
    )

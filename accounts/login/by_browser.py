"""A login in a browser: WeChat redirects back with a code, and a browser session begins.

The rules are the same as for every door (accounts/login/rules.py). No tokens are made here: the
application gets them for its authorization code.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.locking import in_transaction
from accounts.login.arrival import Arrival, attempt, choose_method
from accounts.login.codes import identify_by_redirect
from accounts.login.rules import begin, ticket_for_stranger
from accounts.login.trail import Trail
from accounts.models import AuthorizationRequest, LoginEvent, Session, WeChatState
from accounts.sessions.browsers import remember_browser
from accounts.sessions.scopes import understood_scopes
from applications.models import Application, LoginMethod
from applications.offers import Offer, is_usable, known_application
from applications.rules import Way
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash
from userpools.models import UserPool

STATE_BYTES = 32
STATE_LIVES = timedelta(minutes=15)

WAYS_OF_A_BROWSER = (Way.WEBSITE_QR,)
"""The ways in that the login page supports."""


@dataclass(frozen=True, kw_only=True)
class SignedOn:
    """A completed login; ``secret`` goes into the browser's cookie."""

    session: Session
    secret: str = field(repr=False)


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
    WeChatState.objects.create(
        request=pending,
        login_method=method,
        state_hash=token_hash(state),
        expires_at=now + STATE_LIVES,
    )
    return state


def spend_state(
    pool: UserPool, unverified_state: str, *, source: str, browser_secret: str, now: datetime
) -> WeChatState | None:
    """Use up the ``state`` of a redirect from WeChat, and return its row.

    Return None if it is unknown, used or expired, or belongs to another source or browser.
    """
    state = one_or_none(
        WeChatState.objects.select_related(
            "request__application", "login_method__identity_source"
        ).filter(
            request__pool=pool,
            state_hash=token_hash(unverified_state),
            expires_at__gt=now,
            login_method__identity_source__identifier=source,
            request__browser_hash=token_hash(browser_secret),
            request__answered_at__isnull=True,
            request__expires_at__gt=now,
        )
    )
    if state is None:
        return None
    unused = WeChatState.objects.filter(pk=state.pk, used_at__isnull=True)
    if not unused.update(used_at=now):
        return None
    state.request.pool = state.request.application.pool = pool
    return state


def sign_on(state: WeChatState, code: str, *, now: datetime) -> SignedOn:
    """Log in the person that WeChat identifies by the code, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    pending, method = state.request, state.login_method
    client_id, way = pending.application.client_id, Way(method.way)
    with attempt(client_id, way, door=LoginEvent.Door.HOSTED, now=now) as (offer, trail):
        scope = pending.parameters.get("scope")
        arrival = arrive_by_redirect(offer, trail, method, code, scope=scope)
        with ticket_for_stranger(arrival, bound_to=str(pending.pk)):
            return enter_browser(pending, arrival)


@in_transaction
def enter_browser(pending: AuthorizationRequest, arrival: Arrival) -> SignedOn:
    """Begin a session and a browser session for a person who arrived.

    Raises:
        DomainError: a rule refuses the identity.

    """
    session = begin(arrival)
    secret = remember_browser(session, now=arrival.trail.at)
    session.save(force_insert=True)
    AuthorizationRequest.objects.filter(pk=pending.pk).update(session=session)
    arrival.trail.signed_on()
    arrival.trail.record_success(session)
    return SignedOn(session=session, secret=secret)

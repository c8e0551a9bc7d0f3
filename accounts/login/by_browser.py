"""A login in a browser: WeChat sends the person back with a code, and the browser is remembered.

The rules are those of every door (accounts/login/rules.py). No tokens are made here: the
application gets them for its authorization code.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts import refusals
from accounts.locking import in_transaction
from accounts.login import tickets
from accounts.login.arrival import Arrival, attempt, choose
from accounts.login.codes import identify_by_redirect
from accounts.login.rules import begin
from accounts.login.trail import Trail
from accounts.models import AuthorizationRequest, LoginEvent, Session, WeChatState
from accounts.sessions.browsers import remember_browser
from accounts.sessions.scopes import understood_scopes
from applications.models import Application, LoginMethod
from applications.offers import is_usable
from applications.rules import Way, ways_in
from config.kernel.encryption import token_hash
from userpools.models import UserPool

STATE_BYTES = 32
STATE_LIVES = timedelta(minutes=15)

WAYS_OF_A_BROWSER = (Way.WEBSITE_QR,)
"""The ways in for which the login page has a door."""


@dataclass(frozen=True, kw_only=True)
class SignedOn:
    """A login that happened; ``secret`` is for the browser's cookie."""

    session: Session
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """A login method by which people may come in now, and the trail of one who does."""

    method: LoginMethod
    scope: tuple[str, ...]
    trail: Trail

    def arrive(self, code: str) -> Arrival:
        """Have WeChat say who came back with this code.

        Raises:
            LoginRefused: it doesn't.

        """
        identity = identify_by_redirect(self.method, code, self.trail)
        return Arrival(method=self.method, identity=identity, scope=self.scope, trail=self.trail)


@contextmanager
def entrance(
    application: Application, method: LoginMethod, *, door: str, scope: str | None, now: datetime
) -> Iterator[Entrance]:
    """Open a login method to one person; whatever refusal ends what is done within is recorded.

    Raises:
        ApplicationDisabled, LoginMethodDisabled, IdentitySourceDisabled: as they say.

    """
    with attempt(application.client_id, Way(method.way), door=door, now=now) as (offer, trail):
        asked = understood_scopes(scope, offer.application.type)
        chosen = choose(offer, trail, method.identity_source.identifier, asked)
        yield Entrance(method=chosen, scope=asked, trail=trail)


def browser_methods(application: Application) -> list[LoginMethod]:
    """Return what the application offers to somebody in a browser, in the operator's order."""
    methods = (
        application.login_methods.offered()
        .filter(way__in=WAYS_OF_A_BROWSER)
        .select_related("identity_source")
        .order_by("position", "pk")
    )
    return [
        method
        for method in methods
        if method.way in ways_in(method.identity_source.type, application.type)
        and is_usable(method.identity_source)
    ]


def new_state(pending: AuthorizationRequest, method: LoginMethod, *, now: datetime) -> str:
    """Store that the browser goes to WeChat now; return the ``state`` to come back with.

    Hexadecimal: WeChat's official accounts take nothing but letters and digits there.
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
    """Use up the state with which a browser comes back to the address of this source.

    None if it was never given out, was used, is of another source, or of another browser.
    """
    state = (
        WeChatState.objects.select_related(
            "request__pool",
            "request__application__pool",
            "request__device",
            "request__session",
            "login_method__identity_source",
        )
        .filter(
            request__pool=pool,
            state_hash=token_hash(unverified_state),
            expires_at__gt=now,
            login_method__identity_source__identifier=source,
            request__browser_hash=token_hash(browser_secret),
            request__answered_at__isnull=True,
            request__expires_at__gt=now,
        )
        .first()
    )
    if state is None:
        return None
    unused = WeChatState.objects.filter(pk=state.pk, used_at__isnull=True)
    return state if unused.update(used_at=now) else None


def sign_on(state: WeChatState, code: str, *, now: datetime) -> SignedOn:
    """Log in the person whom WeChat names, in the browser that got the state; record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    pending = state.request
    with entrance(
        pending.application,
        state.login_method,
        door=LoginEvent.Door.HOSTED,
        scope=pending.parameters.get("scope"),
        now=now,
    ) as opened:
        arrival = opened.arrive(code)
        try:
            return enter_browser(pending, arrival)
        except refusals.AccountBindingRequired as refusal:
            raise tickets.binding_required(arrival, bound_to=str(pending.pk)) from refusal


@in_transaction
def enter_browser(pending: AuthorizationRequest, arrival: Arrival) -> SignedOn:
    """Begin a session for a person who came, and remember their browser.

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

"""A login in a browser: WeChat sends the person back with a code, and the browser is remembered.

The rules are those of every door (accounts/login/rules.py). No tokens are made here: the
application gets them for its authorization code.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from accounts import refusals
from accounts.binding.proofs import Proof
from accounts.binding.redeeming import BindRequest, redeem
from accounts.login import tickets, trace
from accounts.login.arrival import Arrival
from accounts.login.attempts import attempt, choose
from accounts.login.codes import identify_by_redirect
from accounts.login.newcomers import associate
from accounts.login.rules import Newcomer, begin
from accounts.login.trail import Trail
from accounts.models import AuthorizationRequest, LoginEvent, Session, WeChatTrip
from accounts.sessions.browsers import remember_browser
from accounts.sessions.scopes import understood_scopes
from applications.client_authentication import ClientCredentials
from applications.models import Application, LoginMethod
from applications.offers import is_usable
from applications.rules import Way, ways_in
from config.kernel.encryption import token_hash
from userpools.models import UserPool

STATE_BYTES = 32
TRIP_TAKES_AT_MOST = timedelta(minutes=15)

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


def begin_trip(request: AuthorizationRequest, method: LoginMethod, *, now: datetime) -> str:
    """Note that the browser goes to WeChat now; return the ``state`` to come back with.

    Hexadecimal: WeChat's official accounts take nothing but letters and digits there.
    """
    state = secrets.token_hex(STATE_BYTES)
    WeChatTrip.objects.create(
        request=request,
        login_method=method,
        state_hash=token_hash(state),
        expires_at=now + TRIP_TAKES_AT_MOST,
    )
    return state


def end_trip(
    pool: UserPool, unverified_state: str, *, source: str, browser_secret: str, now: datetime
) -> WeChatTrip | None:
    """Use up the trip from which a browser comes back to the address of this source.

    None if it never set out, came back already, went to another source, or is another browser.
    """
    trip = (
        WeChatTrip.objects.select_related(
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
    if trip is None:
        return None
    unused = WeChatTrip.objects.filter(pk=trip.pk, used_at__isnull=True)
    return trip if unused.update(used_at=now) else None


def sign_on(trip: WeChatTrip, code: str, *, now: datetime) -> SignedOn:
    """Log in whoever WeChat names, in the browser that began the trip, and record the attempt.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    request = trip.request
    with entrance(
        request.application,
        trip.login_method,
        door=LoginEvent.Door.HOSTED,
        scope=request.parameters.get("scope"),
        now=now,
    ) as opened:
        arrival = opened.arrive(code)
        try:
            return _let_in(request, arrival, associate)
        except refusals.AccountBindingRequired as refusal:
            raise tickets.binding_required(arrival, bound_to=str(request.pk)) from refusal


def bind_on(
    request: AuthorizationRequest, ticket: str, proof: Proof | None, *, now: datetime
) -> SignedOn:
    """Log in whoever holds a binding ticket of this request: as a new user, or after a proof.

    Raises:
        DomainError: the ticket, the proof or a rule of the login refuses it.

    """

    def let_in(arrival: Arrival, newcomer: Newcomer, first: Callable[[], None]) -> SignedOn:
        return _let_in(request, arrival, newcomer, first=first)

    redeemed = BindRequest(
        client=ClientCredentials(request.application.client_id),
        ticket=ticket,
        proof=proof,
        door=LoginEvent.Door.HOSTED,
        bound_to=str(request.pk),
    )
    return redeem(redeemed, let_in, now=now)


def _let_in(
    request: AuthorizationRequest,
    arrival: Arrival,
    newcomer: Newcomer,
    *,
    first: Callable[[], None] = lambda: None,
) -> SignedOn:
    keep = partial(_keep, request, arrival.trail)
    entry, secret = begin(arrival, newcomer, keep, first=first)
    return SignedOn(session=entry.session, secret=secret)


def _keep(request: AuthorizationRequest, trail: Trail, session: Session) -> str:
    secret = remember_browser(session, now=trail.at)
    session.save(force_insert=True)
    AuthorizationRequest.objects.filter(pk=request.pk).update(session=session)
    trail.note(trace.signed_on())
    return secret

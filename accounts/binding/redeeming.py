"""Redeeming a binding ticket: a new account, or one of the person's own after a proof.

The ticket says who came and from where; the request only says what the person chose. Redeeming is
a login like any other (accounts/login/rules.py): the identity is resolved again within its
transaction, since it may have found a user meanwhile, and the ticket is used up there, once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from accounts import refusals
from accounts.binding.email_codes import send_code
from accounts.binding.exact_limits import give_back, take_place
from accounts.binding.proofs import PhoneCodeProof, Proof, prove
from accounts.locking import LostRace, lock_users, require_active
from accounts.login import trace
from accounts.login.arrival import Arrival
from accounts.login.identities import Identities
from accounts.login.newcomers import create
from accounts.login.rules import LoggedIn, Newcomer, enter
from accounts.login.tickets import arrival_of, find_ticket, proof_methods, spend
from accounts.login.trail import Trail
from accounts.models import PROOFS, BindingTicket, LoginEvent, User
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.models import LoginMethod
from applications.offers import load_offer
from applications.rules import Way
from config.kernel.errors import InvalidRequest

Result = TypeVar("Result")
LetIn = Callable[[Arrival, Newcomer, Callable[[], None]], Result]
"""Begins a session for an arrival; the last is to be called first in its transaction."""

PROOFS_OF_ONE_PERSON = 15
"""within an hour"""


@dataclass(frozen=True, kw_only=True)
class BindRequest:
    """What a holder of a ticket chose: ``proof`` is None for a new account."""

    client: ClientCredentials = field(repr=False)
    ticket: str = field(repr=False)
    proof: Proof | None = field(repr=False)
    door: str = LoginEvent.Door.BIND
    bound_to: str = field(default="", repr=False)


def bind(request: BindRequest, *, now: datetime) -> LoggedIn:
    """Log the ticket's holder in, as a new user or as the one whose account they prove to have.

    Raises:
        DomainError: the ticket, the proof or a rule of the login refuses it.

    """

    def let_in(arrival: Arrival, newcomer: Newcomer, first: Callable[[], None]) -> LoggedIn:
        return enter(arrival, newcomer, first=first)

    return redeem(request, let_in, now=now)


def redeem(request: BindRequest, let_in: LetIn[Result], *, now: datetime) -> Result:
    """Do as `bind`, but let the ticket's holder in by another way than with tokens.

    Raises:
        DomainError: as `bind`.

    """
    began = time.monotonic()
    ticket = find_ticket(
        request.client.unverified_client_id, request.ticket, bound_to=request.bound_to, now=now
    )
    trail = Trail(
        door=request.door,
        way=Way(ticket.login_method.way),
        application=ticket.application,
        source=ticket.login_method.identity_source,
        at=now,
        began=began,
    )
    with trail.recording_refusals():
        arrival = _arrival(request.client, ticket, trail)
        newcomer: Newcomer = create
        if request.proof:
            arrival = _with_proof(request.proof, ticket, arrival)
            newcomer = partial(_bind_to, _target(request.proof, ticket, arrival))
        return let_in(arrival, newcomer, partial(spend, ticket, now=now))


def send_email_code(  # noqa: PLR0913  who asks, for what, whereto, from where
    client: ClientCredentials,
    unverified_ticket: str,
    email: str,
    *,
    address: str,
    now: datetime,
    bound_to: str = "",
) -> None:
    """Send a one-time code to an address, if an account has it; nobody is told whether one does.

    Raises:
        InvalidRequest: this server sends no e-mail.
        DomainError: the ticket or the application refuses it, or enough codes were sent.

    """
    ticket = find_ticket(client.unverified_client_id, unverified_ticket, bound_to=bound_to, now=now)
    _authenticate(client, ticket, now=now)
    method = _still_offered(ticket)
    if "email_code" not in proof_methods(method.identity_source):
        raise InvalidRequest("This server sends no e-mail. Choose another of the methods.")
    send_code(ticket, email, address=address, now=now)


def _arrival(client: ClientCredentials, ticket: BindingTicket, trail: Trail) -> Arrival:
    _authenticate(client, ticket, now=trail.at)
    arrival = arrival_of(ticket, _still_offered(ticket), trail)
    trail.note(trace.checked(arrival.scope))
    trail.note(trace.identity(has_unionid=arrival.identity.unionid is not None))
    return arrival


def _authenticate(client: ClientCredentials, ticket: BindingTicket, *, now: datetime) -> None:
    # A ticket of one of our pages is redeemed there alone, by the browser that got it; the
    # application's secret isn't in that browser.
    if not ticket.bound_to:
        authenticate_client(ticket.application, client, now=now)


def _still_offered(ticket: BindingTicket) -> LoginMethod:
    """Return the ticket's login method, as it is now: it may have been switched off since.

    Raises:
        ApplicationDisabled, LoginMethodDisabled, IdentitySourceDisabled: as they say.

    """
    offer = load_offer(ticket.application.client_id, Way(ticket.login_method.way))
    return offer.choose(ticket.login_method.identity_source.identifier)


def _with_proof(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> Arrival:
    """Take one of the ticket's tries before the proof is looked at; ask WeChat if it is a code."""
    came_with_number = arrival.phone is not None and bool(arrival.phone.number)
    if isinstance(proof, PhoneCodeProof) and not proof.phone_code and not came_with_number:
        raise InvalidRequest(
            "Send a proof: email and password, email and email_code, or phone_code."
        )
    # One code of WeChat's may bring several tickets: whoever they are all of has an end of tries.
    now = arrival.trail.at
    take_place(*_tries_of(arrival), limit=PROOFS_OF_ONE_PERSON, now=now)
    if not ticket.count_proof(now):
        raise refusals.InvalidBindingTicket
    if isinstance(proof, PhoneCodeProof) and proof.phone_code:
        return arrival.with_phone(proof.phone_code)
    return arrival


def _tries_of(arrival: Arrival) -> tuple[UUID, str, str]:
    person = f"{arrival.source.app_id} {arrival.identity.openid}"
    return arrival.source.pool_id, "proofs by", person


def _target(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> UUID:
    try:
        target = prove(proof, ticket, arrival, now=arrival.trail.at)
    except refusals.WeChatAway:
        ticket.give_proof_back()
        give_back(*_tries_of(arrival), now=arrival.trail.at)
        raise
    if target is None:
        left = PROOFS - ticket.failed_proofs - 1
        raise refusals.InvalidProof(extra={"proofs_left": max(left, 0)})
    return target


def _bind_to(target: UUID, found: Identities, arrival: Arrival) -> User:
    # Whose the account was when it was proven may have been merged into somebody since.
    survivors = User.objects.filter(pool=arrival.source.pool_id, pk=target)
    final = survivors.values_list("merged_into", flat=True).get() or target
    user = lock_users(arrival.source.pool_id, [final])[final]
    arrival.trail.user = user
    if user.status == User.Status.MERGED:
        raise LostRace
    require_active(user)
    if found.has_another_openid(user):
        raise refusals.AlreadyLinked
    found.settle(user, now=arrival.trail.at)
    arrival.trail.decision = LoginEvent.Decision.BOUND
    return user

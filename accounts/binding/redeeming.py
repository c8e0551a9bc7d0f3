"""Redeeming a binding ticket: a new account, or one of the person's own after a proof.

The ticket says who came and from where; the request only says what the person chose. Redeeming is
a login like any other (accounts/login/rules.py): the identity is resolved again within its
transaction, since it may have found a user meanwhile, and the ticket is used up there, once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from accounts import refusals
from accounts.binding.email_codes import send_code
from accounts.binding.exact_limits import give_back, take_place
from accounts.binding.proofs import PhoneCodeProof, Proof, prove
from accounts.login.arrival import Arrival, attempt, choose
from accounts.login.by_browser import SignedOn, enter_browser
from accounts.login.rules import LoggedIn, enter
from accounts.login.tickets import arrival_of, find_ticket, proof_methods
from accounts.models import PROOFS, AuthorizationRequest, BindingTicket, LoginEvent
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.offers import load_offer
from applications.rules import Way
from config.kernel.errors import InvalidRequest

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
    with redeem(request, now=now) as arrival:
        return enter(arrival)


def bind_in_browser(
    pending: AuthorizationRequest, ticket: str, proof: Proof | None, *, now: datetime
) -> SignedOn:
    """Do as `bind` for a ticket of one of our pages, and remember the browser.

    Raises:
        DomainError: as `bind`.

    """
    request = BindRequest(
        client=ClientCredentials(pending.application.client_id),
        ticket=ticket,
        proof=proof,
        door=LoginEvent.Door.HOSTED,
        bound_to=str(pending.pk),
    )
    with redeem(request, now=now) as arrival:
        return enter_browser(pending, arrival)


@contextmanager
def redeem(request: BindRequest, *, now: datetime) -> Iterator[Arrival]:
    """Give the holder of a ticket to log in within; record the refusal that ends it.

    Raises:
        DomainError: the ticket or the proof refuses it.

    """
    ticket = find_ticket(
        request.client.unverified_client_id, request.ticket, bound_to=request.bound_to, now=now
    )
    client_id, way = ticket.application.client_id, Way(ticket.login_method.way)
    with attempt(client_id, way, door=request.door, now=now) as (offer, trail):
        trail.source = ticket.login_method.identity_source
        _authenticate(request.client, ticket, now=now)
        # As it is now: it may have been switched off since.
        method = choose(offer, trail, trail.source.identifier, ticket.scopes)
        arrival = arrival_of(ticket, method, trail)
        trail.identified(arrival.identity)
        if request.proof:
            arrival = _prove(request.proof, ticket, _with_proof(request.proof, ticket, arrival))
        yield arrival


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
    offer = load_offer(ticket.application.client_id, Way(ticket.login_method.way))
    method = offer.choose(ticket.login_method.identity_source.identifier)
    if "email_code" not in proof_methods(method.identity_source):
        raise InvalidRequest("This server sends no e-mail. Choose another of the methods.")
    send_code(ticket, email, address=address, now=now)


def _authenticate(client: ClientCredentials, ticket: BindingTicket, *, now: datetime) -> None:
    # A ticket of one of our pages is redeemed there alone, by the browser that got it; the
    # application's secret isn't in that browser.
    if not ticket.bound_to:
        authenticate_client(ticket.application, client, now=now)


def _with_proof(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> Arrival:
    """Take one of the ticket's tries before the proof is looked at; ask WeChat if it is a code."""
    came_with_number = arrival.phone is not None and bool(arrival.phone.number)
    if isinstance(proof, PhoneCodeProof) and not proof.phone_code and not came_with_number:
        raise InvalidRequest(
            "Send a proof: email and password, email and email_code, or phone_code."
        )
    # One code of WeChat's may bring several tickets: the tries are the person's as well.
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


def _prove(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> Arrival:
    try:
        account = prove(proof, ticket, arrival, now=arrival.trail.at)
    except refusals.WeChatAway:
        ticket.give_proof_back()
        give_back(*_tries_of(arrival), now=arrival.trail.at)
        raise
    if account is None:
        left = PROOFS - ticket.failed_proofs - 1
        raise refusals.InvalidProof(extra={"proofs_left": max(left, 0)})
    return replace(arrival, account=account)

"""Redeeming a binding ticket: a new account, or an existing one after a proof.

The identity and the source come from the ticket; the request has only the person's choice.
Redeeming is a login like any other (accounts/login/rules.py): its transaction looks the identity
up again, since it may have got a user meanwhile, and uses the ticket up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from accounts import refusals
from accounts.binding.email_codes import send_code
from accounts.binding.exact_limits import count_try, uncount_try
from accounts.binding.proofs import PhoneCodeProof, Proof, prove
from accounts.login.arrival import Arrival, attempt, choose_method
from accounts.login.by_browser import SignedOn, enter_browser
from accounts.login.rules import LoggedIn, enter
from accounts.login.tickets import arrival_of, find_ticket, proof_methods
from accounts.models import (
    PROOFS,
    AuthorizationCode,
    AuthorizationRequest,
    BindingTicket,
    LoginEvent,
)
from applications.client_authentication import ClientCredentials, authenticate_client
from applications.offers import load_offer
from applications.rules import Way
from config.kernel.errors import InvalidRequest

PROOFS_OF_ONE_PERSON = 15
"""within an hour"""


@dataclass(frozen=True, kw_only=True)
class BindRequest:
    """The choice of a ticket's holder: ``proof`` is None for a new account."""

    client: ClientCredentials = field(repr=False)
    ticket: str = field(repr=False)
    proof: Proof | None = field(repr=False)
    door: str = LoginEvent.Door.BIND
    bound_to: str = field(default="", repr=False)


def bind(request: BindRequest, *, now: datetime) -> LoggedIn:
    """Log the ticket's holder in, as a new user or as the user of the proven account.

    Raises:
        DomainError: the ticket, the proof or a rule of the login refuses it.

    """
    with redeem(request, now=now) as arrival:
        return enter(arrival)


def bind_in_browser(
    pending: AuthorizationRequest,
    ticket: str,
    proof: Proof | None,
    *,
    answer: AuthorizationCode | None = None,
    now: datetime,
) -> SignedOn:
    """Do the same as `bind` for a ticket of a hosted page, and begin a browser session.

    ``answer`` is as in `accounts.login.by_browser.sign_on`.

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
        return enter_browser(pending, arrival, answer)


@contextmanager
def redeem(request: BindRequest, *, now: datetime) -> Iterator[Arrival]:
    """Yield the arrival of a ticket's holder; record a refusal raised in the block.

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
        # The method is loaded again, since it may have been disabled meanwhile.
        method = choose_method(offer, trail, trail.source.identifier, ticket.scopes)
        arrival = arrival_of(ticket, method, trail)
        trail.identified(arrival.identity)
        if request.proof:
            _count_proof(request.proof, ticket, arrival)
            arrival = _prove(request.proof, ticket, arrival)
        yield arrival


def send_email_code(  # noqa: PLR0913  client, ticket, recipient and sender are separate facts
    client: ClientCredentials,
    unverified_ticket: str,
    email: str,
    *,
    address: str,
    now: datetime,
    bound_to: str = "",
) -> None:
    """Send a one-time code to an address if an account has it; the caller can't tell.

    Raises:
        InvalidRequest: this server sends no e-mail.
        DomainError: the ticket or the application refuses it, or too many codes were sent.

    """
    ticket = find_ticket(client.unverified_client_id, unverified_ticket, bound_to=bound_to, now=now)
    _authenticate(client, ticket, now=now)
    offer = load_offer(ticket.application.client_id, Way(ticket.login_method.way))
    method = offer.choose(ticket.login_method.identity_source.identifier)
    if "email_code" not in proof_methods(method.identity_source):
        raise InvalidRequest("This server sends no e-mail. Choose another of the methods.")
    send_code(ticket, email, address=address, now=now)


def _authenticate(client: ClientCredentials, ticket: BindingTicket, *, now: datetime) -> None:
    # A ticket of a hosted page can be redeemed only there, by the browser that got it, and that
    # browser doesn't have the application's secret.
    if not ticket.bound_to:
        authenticate_client(ticket.application, client, now=now)


def _count_proof(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> None:
    """Count one of the ticket's tries, before the proof is checked."""
    came_with_number = arrival.phone is not None and bool(arrival.phone.number)
    if isinstance(proof, PhoneCodeProof) and not proof.phone_code and not came_with_number:
        raise InvalidRequest(
            "Send a proof: email and password, email and email_code, or phone_code."
        )
    # One WeChat code may lead to several tickets, so tries are also counted per person.
    now = arrival.trail.at
    count_try(*_tries_of(arrival), limit=PROOFS_OF_ONE_PERSON, now=now)
    if not ticket.count_proof(now):
        raise refusals.InvalidBindingTicket


def _tries_of(arrival: Arrival) -> tuple[UUID, str, str]:
    person = f"{arrival.source.app_id} {arrival.identity.openid}"
    return arrival.source.pool_id, "proofs by", person


def _prove(proof: Proof, ticket: BindingTicket, arrival: Arrival) -> Arrival:
    if isinstance(proof, PhoneCodeProof) and proof.phone_code:
        arrival = arrival.with_phone(proof.phone_code)
    try:
        user_id = prove(proof, ticket, arrival, now=arrival.trail.at)
    except refusals.WeChatAway:
        ticket.give_proof_back()
        uncount_try(*_tries_of(arrival), now=arrival.trail.at)
        raise
    if user_id is None:
        left = PROOFS - ticket.failed_proofs - 1
        raise refusals.InvalidProof(extra={"proofs_left": max(left, 0)})
    return replace(arrival, proven_user_id=user_id)

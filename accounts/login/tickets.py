"""Binding tickets: they keep an identity that belongs to no user until the person has chosen.

A ticket is 256 random bits, stored as a hash, valid for five minutes, for one application and one
identity. The identity is read from the ticket's row only, never from the request that redeems it.
"""

import json
from datetime import datetime, timedelta

from django.conf import settings

from accounts import refusals
from accounts.login.arrival import Arrival
from accounts.login.codes import PhoneResult
from accounts.login.exchange import WeChatIdentity
from accounts.login.trail import Trail
from accounts.models import BindingTicket
from applications.models import LoginMethod
from config.kernel.encryption import new_token, token_hash
from identity_sources.models import IdentitySource

LIVES = timedelta(minutes=5)


def binding_required(arrival: Arrival, *, bound_to: str) -> refusals.AccountBindingRequired:
    """Store a new ticket for an unknown person, and return the refusal that carries it."""
    ticket = new_token()
    row = BindingTicket(
        pool=arrival.trail.application.pool,
        application=arrival.trail.application,
        login_method=arrival.method,
        ticket_hash=token_hash(ticket),
        scope=" ".join(arrival.scope),
        bound_to=bound_to,
        expires_at=arrival.trail.at + LIVES,
    )
    row.answer_ciphertext = row.seal_answer(_dump(arrival))
    row.save(force_insert=True)
    source = arrival.source
    return refusals.AccountBindingRequired(
        extra={
            "binding_ticket": ticket,
            "expires_in": int(LIVES.total_seconds()),
            "may_create": source.registration == IdentitySource.Registration.OPEN,
            "methods": proof_methods(source),
        }
    )


def proof_methods(source: IdentitySource) -> list[str]:
    """Return the methods by which a person from this source may prove an account to be theirs."""
    offered = {
        "password": True,
        "email_code": settings.SENDS_EMAIL,
        "phone_code": source.gives_phone_numbers,
    }
    return [method for method, is_offered in offered.items() if is_offered]


def find_ticket(
    client_id: str, unverified_ticket: str, *, bound_to: str, now: datetime
) -> BindingTicket:
    """Return the ticket, if this application may redeem it now.

    Raises:
        InvalidBindingTicket: it doesn't exist or isn't valid any more; the answer is the same.

    """
    ticket = (
        BindingTicket.objects.usable(now)
        .select_related("application__pool", "login_method__identity_source")
        .filter(
            ticket_hash=token_hash(unverified_ticket),
            application__client_id=client_id,
            bound_to=bound_to,
        )
        .first()
    )
    if ticket is None:
        raise refusals.InvalidBindingTicket
    return ticket


def spend(ticket: BindingTicket, *, now: datetime) -> None:
    """Use the ticket up, within the transaction of its login.

    Raises:
        InvalidBindingTicket: another request used it first, or it expired meanwhile.

    """
    good = BindingTicket.objects.filter(pk=ticket.pk, used_at__isnull=True, expires_at__gt=now)
    if not good.update(used_at=now):
        raise refusals.InvalidBindingTicket


def arrival_of(ticket: BindingTicket, method: LoginMethod, trail: Trail) -> Arrival:
    """Return the arrival for which the ticket was made."""
    kept = json.loads(ticket.answer())
    return Arrival(
        method=method,
        identity=WeChatIdentity(openid=kept["openid"], unionid=kept["unionid"]),
        scope=ticket.scopes,
        trail=trail,
        phone=PhoneResult(**kept["phone"]) if kept["phone"] else None,
        ticket=ticket,
    )


def _dump(arrival: Arrival) -> str:
    phone = arrival.phone
    return json.dumps(
        {
            "openid": arrival.identity.openid,
            "unionid": arrival.identity.unionid,
            "phone": phone and {"status": phone.status, "number": phone.number, "key": phone.key},
        }
    )

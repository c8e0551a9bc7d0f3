"""Proofs that an account belongs to the person, before their WeChat account is bound to it.

The answer, and its duration, is the same for a missing account and for a wrong proof. Wrong proofs
are counted in the database, per ticket and per target.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password

from accounts import refusals
from accounts.binding.email_codes import is_right_code
from accounts.binding.exact_limits import count_try, uncount_try
from accounts.locking import in_transaction
from accounts.login.arrival import Arrival
from accounts.login.codes import PhoneStatus
from accounts.login.identities import find_identity
from accounts.login.newcomers import find_by_phone
from accounts.models import BindingTicket, User
from config.kernel.database import one_or_none, release_connection

WRONG_PER_TARGET = 10


@dataclass(frozen=True, kw_only=True)
class PasswordProof:
    """An account's verified e-mail address and its password."""

    email: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class EmailCodeProof:
    """An account's verified e-mail address and the code that was sent there."""

    email: str = field(repr=False)
    email_code: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PhoneCodeProof:
    """The code of WeChat's phone number button; None if the number came with the login."""

    phone_code: str | None = field(default=None, repr=False)


Proof = PasswordProof | EmailCodeProof | PhoneCodeProof


def prove(proof: Proof, ticket: BindingTicket, arrival: Arrival, *, now: datetime) -> UUID | None:
    """Return the id of the user whose account is proven; None if the proof is wrong.

    Raises:
        TooManyRequests: there were too many wrong proofs for this target.
        WeChatAway: WeChat can't be asked for the phone number.

    """
    if isinstance(proof, PhoneCodeProof):
        return _by_phone(arrival)
    return _throttled(proof, ticket, now)


def _throttled(
    proof: PasswordProof | EmailCodeProof, ticket: BindingTicket, now: datetime
) -> UUID | None:
    # Counted separately: wrong passwords from another person don't block the codes.
    kind = "password of" if isinstance(proof, PasswordProof) else "code of"
    tries = (ticket.pool_id, kind, proof.email.lower())
    # Counted before the proof is checked, so that parallel requests get no more tries.
    count_try(*tries, limit=WRONG_PER_TARGET, now=now)
    if isinstance(proof, PasswordProof):
        target = _by_password(proof, ticket)
    else:
        target = _by_email_code(proof, ticket, now)
    if target:
        uncount_try(*tries, now=now)
    return target


def _by_password(proof: PasswordProof, ticket: BindingTicket) -> UUID | None:
    user = _holder_of_address(proof.email, ticket)
    # Hashing is slow; the connection is free for other requests meanwhile.
    release_connection()
    if user is None or not user.password:
        make_password(proof.password)  # takes as long as checking one
        return None
    return user.pk if check_password(proof.password, user.password) else None


def _by_email_code(proof: EmailCodeProof, ticket: BindingTicket, now: datetime) -> UUID | None:
    is_right = is_right_code(ticket, proof.email, proof.email_code, now=now)
    user = _holder_of_address(proof.email, ticket)
    return user.pk if user and is_right else None


def _holder_of_address(email: str, ticket: BindingTicket) -> User | None:
    return one_or_none(User.objects.filter(pool=ticket.pool_id).with_verified_email(email))


def _by_phone(arrival: Arrival) -> UUID | None:
    phone = arrival.phone
    if phone and not phone.number and phone.status == PhoneStatus.UNAVAILABLE:
        raise refusals.WeChatAway("WeChat can't be asked for the phone number. Try again.")
    if phone is None or not phone.number:
        return None
    return _holder_of_number(phone.number, arrival)


@in_transaction
def _holder_of_number(number: str, arrival: Arrival) -> UUID | None:
    found = find_identity(arrival.source, arrival.identity)
    if found.rows:
        # The identity has been linked to a user meanwhile, which decides.
        return found.rows[0].user_id
    user = find_by_phone(found, number, arrival)
    return user.pk if user else None

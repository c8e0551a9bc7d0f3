"""Who a WeChat identity becomes that nobody has: the source's association decides.

=========  ==========================================================================
``none``   a new user
``field``  the user whose phone number WeChat has just proven for this person too, and
           nobody else's: otherwise a new user
``ask``    refused with a ticket, by which the person chooses between a new account and
           one of theirs (accounts/binding/redeeming.py)
=========  ==========================================================================

A source that is login-only makes no new users; those who have an account still find it.
"""

from datetime import timedelta

from django.conf import settings

from accounts import refusals
from accounts.locking import lock_users
from accounts.login import phones
from accounts.login.arrival import Arrival
from accounts.login.identities import Identities
from accounts.models import LoginEvent, User
from identity_sources.models import IdentitySource

Association = IdentitySource.Association


def associate(found: Identities, arrival: Arrival) -> User:
    """Return the user of an identity that nobody has, as the source's association says.

    Raises:
        AccountBindingRequired, PhoneCodeRequired, RegistrationClosed, WeChatAway: as they say.

    """
    if arrival.source.association == Association.ASK:
        raise refusals.AccountBindingRequired
    if arrival.may_match_by_phone:
        user = _match_by_phone(found, arrival)
        if user:
            found.settle(user, now=arrival.trail.at)
            arrival.trail.decision = LoginEvent.Decision.MATCHED_PHONE
            return user
    return create(found, arrival)


def create(found: Identities, arrival: Arrival) -> User:
    """Make a new user for an identity that nobody has.

    Raises:
        RegistrationClosed: the source is login-only.

    """
    refuse_strangers_if_closed(arrival)
    user = User(pool=arrival.trail.application.pool)
    user.save(force_insert=True)
    found.settle(user, now=arrival.trail.at)
    arrival.trail.decision = LoginEvent.Decision.CREATED
    return user


def refuse_strangers_if_closed(arrival: Arrival) -> None:
    """Refuse whoever has no account where none are made.

    Raises:
        RegistrationClosed: the source is login-only.

    """
    if arrival.source.registration == IdentitySource.Registration.CLOSED:
        raise refusals.RegistrationClosed


def find_by_phone(found: Identities, number: str, arrival: Arrival) -> User | None:
    """Return, locked, the user whom a number that WeChat has just proven stands for, if any.

    A number is given to somebody else after a while, so it stands for its user only while it was
    verified lately, and never for one who has another WeChat account already.
    """
    verified_since = arrival.trail.at - timedelta(days=settings.PHONE_PROOF_DAYS)
    holder = User.objects.filter(
        pool=arrival.trail.application.pool,
        phone_number=number,
        phone_number_verified_at__gte=verified_since,
    )
    key = holder.values_list("pk", flat=True).first()
    if key is None:
        return None
    user = lock_users(arrival.source.pool_id, [key])[key]
    still_holds = user.phone_number == number and user.phone_number_verified_at is not None
    if not still_holds or user.status != User.Status.ACTIVE:
        return None
    is_somebody_else = found.has_another_openid(user) or found.has_another_unionid(user)
    return None if is_somebody_else else user


def _match_by_phone(found: Identities, arrival: Arrival) -> User | None:
    phone = arrival.phone
    if phone is None:
        raise refusals.PhoneCodeRequired
    if phone.number:
        return find_by_phone(found, phone.number, arrival)
    if phone.status == phones.Status.INVALID_CODE:
        raise refusals.PhoneCodeRequired(
            "phone_code: WeChat doesn't accept it. Have the person press the button again."
        )
    raise refusals.WeChatAway("WeChat can't be asked for the phone number. Try again.")

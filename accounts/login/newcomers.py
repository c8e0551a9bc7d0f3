"""The user for an identity that belongs to no user yet.

With a binding ticket the person decides: a new user, or the user whose account they proved to be
theirs. Otherwise the association of the source decides:

=========  ==========================================================================
``none``   a new user
``field``  the user with the phone number that WeChat has just verified for this person
           (`find_by_phone`), else a new user
``ask``    refused with a ticket, with which the person chooses a new account or an
           existing one (accounts/binding/redeeming.py)
=========  ==========================================================================

A login-only source makes no new users; people with an account still log in to it.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from accounts import refusals
from accounts.locking import LostRace, lock_users
from accounts.login.arrival import Arrival
from accounts.login.codes import PhoneStatus
from accounts.login.identities import FoundIdentity
from accounts.models import LoginEvent, User
from config.kernel.rows import insertion
from identity_sources.models import IdentitySource

Association = IdentitySource.Association
Decision = LoginEvent.Decision


def user_of_newcomer(found: FoundIdentity, arrival: Arrival) -> User:
    """Return the user for an identity that belongs to no user yet.

    Raises:
        DomainError: the person's choice, or the source's association and registration, refuse it.

    """
    if arrival.proven_user_id:
        user, decision = _proven(found, arrival, arrival.proven_user_id), Decision.BOUND
    elif arrival.ticket:
        user, decision = _new_user(found), Decision.CREATED
    else:
        user, decision = _associated(found, arrival)
    if decision == Decision.CREATED:
        new_rows = [user, *found.new_rows(user, now=arrival.trail.at)]
        arrival.trail.new_person = [insertion(row) for row in new_rows]
    else:
        found.link_to(user, now=arrival.trail.at)
    arrival.trail.decision = decision
    return user


def refuse_strangers(source: IdentitySource) -> None:
    """Refuse a person without an account if the source makes no new users.

    Raises:
        RegistrationClosed: the source is login-only.

    """
    if source.registration == IdentitySource.Registration.CLOSED:
        raise refusals.RegistrationClosed


def find_by_phone(found: FoundIdentity, number: str, arrival: Arrival) -> User | None:
    """Lock and return the user who has a number that WeChat has just verified, if there is one.

    Phone numbers are reassigned after a while, so a number identifies its user only if it was
    verified recently, and never a user who already has another WeChat account.
    """
    verified_since = arrival.trail.at - timedelta(days=settings.PHONE_PROOF_DAYS)
    holder = User.objects.filter(
        pool=arrival.source.pool_id,
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


def _associated(found: FoundIdentity, arrival: Arrival) -> tuple[User, Decision]:
    association = found.source.association
    if association == Association.ASK:
        raise refusals.AccountBindingRequired
    user = _match_by_phone(found, arrival) if association == Association.FIELD else None
    return (user, Decision.MATCHED_PHONE) if user else (_new_user(found), Decision.CREATED)


def _new_user(found: FoundIdentity) -> User:
    refuse_strangers(found.source)
    return User(pool_id=found.source.pool_id)


def _proven(found: FoundIdentity, arrival: Arrival, user_id: UUID) -> User:
    # The user may have been merged since the proof was verified.
    survivors = User.objects.filter(pool=arrival.source.pool_id, pk=user_id)
    final = survivors.values_list("merged_into", flat=True).get() or user_id
    user = lock_users(arrival.source.pool_id, [final])[final]
    arrival.trail.user = user
    if user.status == User.Status.MERGED:
        raise LostRace
    refusals.require_active(user)
    if found.has_another_openid(user):
        raise refusals.AlreadyLinked
    return user


def _match_by_phone(found: FoundIdentity, arrival: Arrival) -> User | None:
    phone = arrival.phone
    if phone is None:
        raise refusals.PhoneCodeRequired
    if phone.number:
        return find_by_phone(found, phone.number, arrival)
    if phone.status == PhoneStatus.INVALID_CODE:
        raise refusals.PhoneCodeRequired(
            "phone_code: WeChat doesn't accept it. Have the person press the button again."
        )
    raise refusals.WeChatAway("WeChat can't be asked for the phone number. Try again.")

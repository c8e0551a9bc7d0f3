"""The phone number of a user: only WeChat verifies one, for the person who logs in.

A failure here doesn't fail a login that doesn't depend on the number; the answer has its status.
"""

from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet

from accounts.login.codes import PhoneResult, PhoneStatus
from accounts.models import User


def store(user: User, answer: PhoneResult, *, now: datetime) -> PhoneStatus:
    """Store the number for the user if they have none yet and no other user has it.

    Raises:
        IntegrityError: another transaction stored the number for another user first.

    """
    status = answer.status or _store(user, answer, now)
    replace(answer, status=status).keep()
    return status


def holders_of(user: User, number: str) -> QuerySet[User]:
    """Return the other user of the pool who has verified this number, if there is one."""
    others = User.objects.exclude(pk=user.pk)
    return others.filter(
        pool=user.pool_id, phone_number=number, phone_number_verified_at__isnull=False
    )


def give_number(user: User, answer: PhoneResult, now: datetime) -> None:
    """Store a number that WeChat has just verified for the user."""
    user.phone_number = answer.number
    user.phone_number_verified_at = now
    user.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])


def note_new_proof(user: User, answer: PhoneResult, now: datetime) -> None:
    """Store that the user's number was verified again.

    The time of the last verification decides who keeps a number that has a new owner.
    """
    if user.phone_number == answer.number:
        user.phone_number_verified_at = now
        user.save(update_fields=["phone_number_verified_at"])


def _store(user: User, answer: PhoneResult, now: datetime) -> PhoneStatus:
    if user.phone_number_verified_at:
        note_new_proof(user, answer, now)
        return PhoneStatus.UNCHANGED
    if holders_of(user, answer.number).exists():
        return PhoneStatus.TAKEN
    give_number(user, answer, now)
    return PhoneStatus.STORED

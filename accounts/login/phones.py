"""The phone number of a user: only WeChat verifies one, for the person who logs in.

A failure here doesn't fail a login that doesn't depend on the number; the answer has its status.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from accounts.locking import LostRace, in_transaction, lock_users
from accounts.login.codes import PhoneResult, PhoneStatus
from accounts.models import AccountEvent, User
from accounts.refusals import require_active


def store(user: User, answer: PhoneResult, *, now: datetime) -> PhoneStatus:
    """Store the number for the user if they have none yet and no other user has it.

    Raises:
        IntegrityError: another transaction stored the number for another user first.

    """
    status = answer.status or _store(user, answer, now)
    replace(answer, status=status).keep()
    return status


@in_transaction
def replace_number(user: User, answer: PhoneResult, *, now: datetime) -> PhoneStatus:
    """Replace the user's number, at their own request.

    A number of another user is moved only if it was verified so long ago that it may have a new
    owner since; the other user loses it.
    """
    if not answer.number:
        return answer.status or PhoneStatus.UNAVAILABLE
    found = _holders(user, answer.number).values_list("pk", flat=True).first()
    users = lock_users(user.pool_id, [user.pk, found] if found else [user.pk])
    user.refresh_from_db()
    require_active(user)
    if user.phone_number_verified_at and user.phone_number == answer.number:
        _note_new_proof(user, answer, now)
        return PhoneStatus.UNCHANGED
    holder = users.get(found) if found else None
    if holder:
        verified_at = holder.phone_number_verified_at
        if holder.phone_number != answer.number or verified_at is None:
            raise LostRace
        if verified_at > now - timedelta(days=settings.PHONE_PROOF_DAYS):
            return PhoneStatus.TAKEN
        _lose(holder, now)
    _give(user, answer, now)
    AccountEvent.record(user, AccountEvent.Kind.PHONE_STORED, now=now)
    return PhoneStatus.STORED


def _store(user: User, answer: PhoneResult, now: datetime) -> PhoneStatus:
    if user.phone_number_verified_at:
        _note_new_proof(user, answer, now)
        return PhoneStatus.UNCHANGED
    if _holders(user, answer.number).exists():
        return PhoneStatus.TAKEN
    _give(user, answer, now)
    return PhoneStatus.STORED


def _holders(user: User, number: str) -> models.QuerySet[User]:
    others = User.objects.exclude(pk=user.pk)
    return others.filter(
        pool=user.pool_id, phone_number=number, phone_number_verified_at__isnull=False
    )


def _give(user: User, answer: PhoneResult, now: datetime) -> None:
    user.phone_number = answer.number
    user.phone_number_verified_at = now
    user.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])


def _lose(holder: User, now: datetime) -> None:
    holder.phone_number, holder.phone_number_verified_at = "", None
    holder.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])
    AccountEvent.record(holder, AccountEvent.Kind.PHONE_LOST, now=now)


def _note_new_proof(user: User, answer: PhoneResult, now: datetime) -> None:
    # The time of the last verification decides who keeps a number that has a new owner.
    if user.phone_number == answer.number:
        user.phone_number_verified_at = now
        user.save(update_fields=["phone_number_verified_at"])

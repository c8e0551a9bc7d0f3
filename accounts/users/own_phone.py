"""Changing one's own phone number, which needs a code of WeChat's phone number button."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts import refusals
from accounts.locking import LostRace, in_transaction, lock_users
from accounts.login.codes import PhoneResult, PhoneStatus, ask_for_phone_number
from accounts.login.phones import give_number, holders_of, note_new_proof
from accounts.models import AccountEvent, LinkedAccount, Session, User
from applications.offers import LoginMethodDisabled, still_offers
from config.kernel.database import one_or_none
from config.kernel.errors import InvalidRequest


def change_number(session: Session, phone_code: str, *, now: datetime) -> PhoneStatus:
    """Store the number that WeChat verifies for the user; return ``stored`` or ``unchanged``.

    Raises:
        InvalidCode: WeChat doesn't accept the code, or it is another person's.
        PhoneTaken: another user verified the number recently.
        WeChatAway: WeChat can't be asked.
        InvalidRequest: the session isn't of a mini program, or its WeChat account is unlinked.

    """
    user, source = session.user, session.identity_source
    if not still_offers(session.application, source.pk, session.way):
        raise LoginMethodDisabled
    answer = ask_for_phone_number(
        source, _openid_of(session), phone_code, application_id=session.application_id
    )
    status = _replace_number(user, answer, now=now)
    if status == PhoneStatus.INVALID_CODE:
        raise refusals.InvalidCode(
            "phone_code: WeChat doesn't accept it, or it is another person's. Have the person "
            "press the button again."
        )
    if status == PhoneStatus.UNAVAILABLE:
        raise refusals.WeChatAway
    if status == PhoneStatus.TAKEN:
        raise refusals.PhoneTaken
    return status


def _openid_of(session: Session) -> str:
    """Return the OpenID with which WeChat compares the code.

    Raises:
        InvalidRequest: there is none, so WeChat couldn't verify that the number is the user's.

    """
    source = session.identity_source
    accounts = LinkedAccount.objects.filter(
        pool=session.pool_id,
        user=session.user_id,
        kind=LinkedAccount.Kind.OPENID,
        app_id=source.app_id,
    )
    openid = one_or_none(accounts.values_list("openid", flat=True))
    if not source.gives_phone_numbers or openid is None:
        raise InvalidRequest(
            "A phone number can be set only in a session of a mini program. Log in there first."
        )
    return openid


@in_transaction
def _replace_number(user: User, answer: PhoneResult, *, now: datetime) -> PhoneStatus:
    """Replace the user's number, at their own request.

    A number of another user is moved only if it was verified so long ago that it may have a new
    owner since; the other user loses it.
    """
    if not answer.number:
        return answer.status or PhoneStatus.UNAVAILABLE
    found = one_or_none(holders_of(user, answer.number).values_list("pk", flat=True))
    users = lock_users(user.pool_id, [user.pk, found] if found else [user.pk])
    user.refresh_from_db()
    refusals.require_active(user)
    if user.phone_number_verified_at and user.phone_number == answer.number:
        note_new_proof(user, answer, now)
        return PhoneStatus.UNCHANGED
    holder = users.get(found) if found else None
    if holder:
        verified_at = holder.phone_number_verified_at
        if holder.phone_number != answer.number or verified_at is None:
            raise LostRace
        if verified_at > now - timedelta(days=settings.PHONE_PROOF_DAYS):
            return PhoneStatus.TAKEN
        _take_number(holder, now)
    give_number(user, answer, now)
    AccountEvent.record(user, AccountEvent.Kind.PHONE_STORED, now=now)
    return PhoneStatus.STORED


def _take_number(holder: User, now: datetime) -> None:
    holder.phone_number, holder.phone_number_verified_at = "", None
    holder.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])
    AccountEvent.record(holder, AccountEvent.Kind.PHONE_LOST, now=now)

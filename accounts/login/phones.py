"""Phone numbers: only WeChat proves one, and only for the person who logs in with it.

No failure here fails a login that doesn't depend on the number: the answer says what became of it.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import phonenumbers
from django.conf import settings
from django.db import models

from accounts.locking import LostRace, lock_users, require_active
from accounts.login.exchange import exchange_key, forget, keep_outcome, kept_outcome, spend_once
from accounts.login.trail import Trail
from accounts.models import AccountEvent, User
from accounts.users import history
from identity_sources.access_tokens import call_with_access_token
from identity_sources.gateway import wechat_client
from identity_sources.models import IdentitySource
from identity_sources.wechat.answers import PhoneNumber
from identity_sources.wechat.errors import (
    CodeRefused,
    OpenIdMismatch,
    WeChatError,
    WeChatUnavailable,
)

CODE_LIVES = timedelta(minutes=5)


class Status(models.TextChoices):
    """What became of the number that ``phone_code`` stands for."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    TAKEN = "taken"
    INVALID_CODE = "invalid_code"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A number that WeChat verified for this person, or why there is none."""

    status: Status | None = None
    number: str = field(default="", repr=False)
    """E.164, such as +8613800138000"""
    key: str = ""
    """under which the outcome is kept, empty when it was kept before"""


def ask_wechat(source: IdentitySource, openid: str, phone_code: str, trail: Trail) -> Answer:
    """Exchange a phone code for the number, sending the OpenID so that WeChat compares them.

    A code that was sent before isn't exchanged again, since each exchange is paid for: what became
    of it is repeated.
    """
    key = exchange_key(
        door="phone",
        application=str(trail.application.pk),
        source=str(source.pk),
        # With the person, so that nobody hears what became of somebody else's code.
        code=f"{openid} {phone_code}",
    )
    if not spend_once(key, lives=CODE_LIVES):
        return _kept(key)
    client = wechat_client(source, trail.observe)
    try:
        answer = call_with_access_token(
            source,
            client,
            lambda token: client.getuserphonenumber(
                access_token=token, code=phone_code, openid=openid
            ),
        )
    except (CodeRefused, OpenIdMismatch):
        return Answer(key=key, status=Status.INVALID_CODE)
    except WeChatError as error:
        if not _may_be_spent(error):
            forget(key)
        return Answer(key=key, status=Status.UNAVAILABLE)
    accepted = replace(_accepted(answer, source), key=key)
    _keep(accepted)
    return accepted


def settle(user: User, answer: Answer, *, now: datetime) -> Status:
    """Give the user the number, if they have none yet and nobody else has it.

    Raises:
        IntegrityError: somebody else was given the number at this very moment.

    """
    status = answer.status or _store(user, answer, now)
    _keep(replace(answer, status=status))
    return status


def replace_number(user: User, answer: Answer, *, now: datetime) -> Status:
    """Give the user the number instead of the one they have, as they asked for.

    Somebody else's becomes theirs only where it was verified so long ago that the number may have
    a new owner since: then the former one loses it. Runs within a transaction.

    Raises:
        LostRace, IntegrityError: somebody else was given the number meanwhile.

    """
    if not answer.number:
        return answer.status or Status.UNAVAILABLE
    found = _holders(user, answer.number).values_list("pk", flat=True).first()
    users = lock_users(user.pool_id, [user.pk, found] if found else [user.pk])
    user.refresh_from_db()
    require_active(user)
    if user.phone_number_verified_at and user.phone_number == answer.number:
        _note_new_proof(user, answer, now)
        return Status.UNCHANGED
    holder = users.get(found) if found else None
    if holder:
        verified_at = holder.phone_number_verified_at
        if holder.phone_number != answer.number or verified_at is None:
            raise LostRace
        if verified_at > now - timedelta(days=settings.PHONE_PROOF_DAYS):
            return Status.TAKEN
        _lose(holder, now)
    _give(user, answer, now)
    history.record(user, AccountEvent.Kind.PHONE_STORED, now=now)
    return Status.STORED


def _store(user: User, answer: Answer, now: datetime) -> Status:
    if user.phone_number_verified_at:
        _note_new_proof(user, answer, now)
        return Status.UNCHANGED
    if _holders(user, answer.number).exists():
        return Status.TAKEN
    _give(user, answer, now)
    return Status.STORED


def _holders(user: User, number: str) -> models.QuerySet[User]:
    others = User.objects.exclude(pk=user.pk)
    return others.filter(
        pool=user.pool_id, phone_number=number, phone_number_verified_at__isnull=False
    )


def _give(user: User, answer: Answer, now: datetime) -> None:
    user.phone_number = answer.number
    user.phone_number_verified_at = now
    user.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])


def _lose(holder: User, now: datetime) -> None:
    holder.phone_number, holder.phone_number_verified_at = "", None
    holder.save(update_fields=["phone_number", "phone_number_verified_at", "updated_at"])
    history.record(holder, AccountEvent.Kind.PHONE_LOST, now=now)


def _keep(answer: Answer) -> None:
    if answer.key:
        kept = {"status": answer.status, "number": answer.number}
        keep_outcome(answer.key, json.dumps(kept))


def _kept(key: str) -> Answer:
    """Return what became of a code that was sent before, with the number that it gave."""
    kept = json.loads(kept_outcome(key) or "{}")
    number = kept.get("number", "")
    status = kept.get("status") or (None if number else Status.UNAVAILABLE)
    return Answer(status=status and Status(status), number=number)


def _may_be_spent(error: WeChatError) -> bool:
    return isinstance(error, WeChatUnavailable) and error.reason != "connect_failed"


def _note_new_proof(user: User, answer: Answer, now: datetime) -> None:
    # How long ago a number was proven decides who keeps it once it has a new owner.
    if user.phone_number == answer.number:
        user.phone_number_verified_at = now
        user.save(update_fields=["phone_number_verified_at"])


def _accepted(answer: PhoneNumber, source: IdentitySource) -> Answer:
    # The watermark names the app that the number was given to.
    if answer.watermark_app_id != source.app_id:
        return Answer(status=Status.INVALID_CODE)
    try:
        parsed = phonenumbers.parse(answer.e164)
    except phonenumbers.NumberParseException:
        return Answer(status=Status.UNAVAILABLE)
    # What is longer than any number of its country has no place in the database either.
    if not phonenumbers.is_possible_number(parsed):
        return Answer(status=Status.UNAVAILABLE)
    return Answer(number=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

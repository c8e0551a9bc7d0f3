"""From the codes that a mini program or a browser sends to what WeChat says they stand for.

A code of ``wx.login`` or of an OAuth login stands for a WeChat identity, one of the phone number
button for a number.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import phonenumbers
from django.db import models

from accounts import refusals
from accounts.login.exchange import (
    UNOBSERVED,
    CodeObserver,
    WeChatIdentity,
    exchange_key,
    exchange_once,
    forget,
    keep_outcome,
    kept_outcome,
    spend_once,
)
from applications.models import LoginMethod
from config.kernel.database import release_connection
from config.kernel.encryption import DecryptionError
from identity_sources.access_tokens import call_with_access_token
from identity_sources.gateway import belongs_to, wechat_client
from identity_sources.models import IdentitySource
from identity_sources.wechat.answers import PhoneNumber
from identity_sources.wechat.client import CallRecord
from identity_sources.wechat.errors import (
    CodeRefused,
    OpenIdMismatch,
    WeChatError,
    WeChatUnavailable,
)

logger = logging.getLogger(__name__)

PHONE_CODE_LIVES = timedelta(minutes=5)


class PhoneStatus(models.TextChoices):
    """What became of the number that ``phone_code`` stands for."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    TAKEN = "taken"
    INVALID_CODE = "invalid_code"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class PhoneAnswer:
    """A number that WeChat verified for this person, or why there is none."""

    status: PhoneStatus | None = None
    number: str = field(default="", repr=False)
    """E.164, such as +8613800138000"""
    key: str = ""
    """under which the outcome is kept, empty when it was kept before"""

    def keep(self) -> None:
        """Keep it, for when the same code is sent again."""
        if self.key:
            keep_outcome(self.key, json.dumps({"status": self.status, "number": self.number}))


def identify(
    method: LoginMethod,
    code: str,
    *,
    door: str,
    observer: CodeObserver = UNOBSERVED,
    bound_to: str = "",
) -> WeChatIdentity:
    """Have WeChat exchange the code, once; a code that is sent again gives the same identity.

    Raises:
        LoginRefused: WeChat refuses the code or can't be asked, or the AppSecret can't be read.

    """
    source = method.identity_source
    key = exchange_key(
        door=door,
        application=str(method.application_id),
        source=str(source.pk),
        code=code,
        bound_to=bound_to,
    )
    app_secret = _app_secret(source)

    def ask_wechat() -> WeChatIdentity:
        # The session_key ends here: nothing of ours needs it, and nobody else may have it.
        session = wechat_client(source, observer.exchanged).jscode2session(
            app_id=source.app_id, app_secret=app_secret, js_code=code
        )
        return WeChatIdentity(openid=session.openid, unionid=session.unionid)

    try:
        identity = exchange_once(key, ask_wechat, observer)
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    observer.identified(identity)
    _refuse_foreign_namespace(source, identity)
    return identity


def identify_by_redirect(method: LoginMethod, code: str, observer: CodeObserver) -> WeChatIdentity:
    """Have WeChat exchange the code with which it sent a browser back.

    Nothing is kept of it: the ``state`` that came with the code was used up before.

    Raises:
        LoginRefused: WeChat refuses the code or can't be asked, the AppSecret can't be read, or
            WeChat shows a snapshot page, whose user isn't real.

    """
    source = method.identity_source
    app_secret = _app_secret(source)
    release_connection()
    try:
        answer = wechat_client(source, observer.exchanged).oauth2_access_token(
            app_id=source.app_id, app_secret=app_secret, code=code
        )
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    if answer.is_snapshot_user:
        raise refusals.SnapshotUser
    identity = WeChatIdentity(openid=answer.openid, unionid=answer.unionid)
    observer.identified(identity)
    _refuse_foreign_namespace(source, identity)
    return identity


def ask_for_phone_number(
    source: IdentitySource,
    openid: str,
    phone_code: str,
    *,
    application_id: UUID,
    observer: Callable[[CallRecord], None] = UNOBSERVED.exchanged,
) -> PhoneAnswer:
    """Exchange a phone code for the number, sending the OpenID so that WeChat compares them.

    A code that was sent before isn't exchanged again, since each exchange is paid for: what became
    of it is repeated.
    """
    key = exchange_key(
        door="phone",
        application=str(application_id),
        source=str(source.pk),
        # With the person, so that nobody hears what became of somebody else's code.
        code=f"{openid} {phone_code}",
    )
    if not spend_once(key, lives=PHONE_CODE_LIVES):
        return _kept(key)
    client = wechat_client(source, observer)
    try:
        answer = call_with_access_token(
            source,
            client,
            lambda token: client.getuserphonenumber(
                access_token=token, code=phone_code, openid=openid
            ),
        )
    except (CodeRefused, OpenIdMismatch):
        return PhoneAnswer(key=key, status=PhoneStatus.INVALID_CODE)
    except WeChatError as error:
        if not _may_be_spent(error):
            forget(key)
        return PhoneAnswer(key=key, status=PhoneStatus.UNAVAILABLE)
    accepted = replace(_accepted(answer, source), key=key)
    accepted.keep()
    return accepted


def _app_secret(source: IdentitySource) -> str:
    try:
        return source.app_secret()
    except DecryptionError as error:
        logger.error("The AppSecret of %s can't be read.", source.pk, exc_info=error)  # noqa: TRY400
        raise refusals.AppSecretUnreadable from error


def _refuse_foreign_namespace(source: IdentitySource, identity: WeChatIdentity) -> None:
    if not belongs_to(source, identity.openid, identity.unionid):
        raise refusals.WeChatAway("WeChat's answer holds an identity of another kind of source.")


def _kept(key: str) -> PhoneAnswer:
    """Return what became of a code that was sent before, with the number that it gave."""
    kept = json.loads(kept_outcome(key) or "{}")
    number = kept.get("number", "")
    status = kept.get("status") or (None if number else PhoneStatus.UNAVAILABLE)
    return PhoneAnswer(status=status and PhoneStatus(status), number=number)


def _may_be_spent(error: WeChatError) -> bool:
    return isinstance(error, WeChatUnavailable) and error.reason != "connect_failed"


def _accepted(answer: PhoneNumber, source: IdentitySource) -> PhoneAnswer:
    # The watermark names the app that the number was given to.
    if answer.watermark_app_id != source.app_id:
        return PhoneAnswer(status=PhoneStatus.INVALID_CODE)
    try:
        parsed = phonenumbers.parse(answer.e164)
    except phonenumbers.NumberParseException:
        return PhoneAnswer(status=PhoneStatus.UNAVAILABLE)
    # What is longer than any number of its country has no place in the database either.
    if not phonenumbers.is_possible_number(parsed):
        return PhoneAnswer(status=PhoneStatus.UNAVAILABLE)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return PhoneAnswer(number=number)

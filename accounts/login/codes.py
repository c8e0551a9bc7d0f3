"""Exchanging WeChat's codes, from a mini program or a browser.

A code of ``wx.login`` or of an OAuth login stands for a WeChat identity, a code of the phone
number button for a phone number.
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
    exchange,
    exchange_key,
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
    """The result of a ``phone_code``."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    TAKEN = "taken"
    INVALID_CODE = "invalid_code"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class PhoneResult:
    """A phone number that WeChat verified for this person, or the reason why there is none."""

    status: PhoneStatus | None = None
    number: str = field(default="", repr=False)
    """E.164, such as +8613800138000"""
    key: str = ""
    """the key under which the outcome is stored; empty if it was stored before"""

    def keep(self) -> None:
        """Store the outcome, in case the same code is sent again."""
        if self.key:
            keep_outcome(self.key, json.dumps({"status": self.status, "number": self.number}))


def identify(
    method: LoginMethod,
    code: str,
    *,
    purpose: str,
    observer: CodeObserver = UNOBSERVED,
    bound_to: str = "",
) -> WeChatIdentity:
    """Exchange a code at WeChat; the same code sent again returns the same identity.

    The caller stores the identity with what it writes (`WeChatIdentity.storing`).

    Raises:
        LoginRefused: WeChat refuses the code or can't be asked, or the AppSecret can't be read.

    """
    source = method.identity_source
    key = exchange_key(
        purpose=purpose,
        application=str(method.application_id),
        source=str(source.pk),
        code=code,
        bound_to=bound_to,
    )
    app_secret = _app_secret(source)

    def ask_wechat() -> tuple[str, str | None]:
        # The session_key is dropped here: nothing needs it, and it must not be disclosed.
        session = wechat_client(source, observer.exchanged).jscode2session(
            app_id=source.app_id, app_secret=app_secret, js_code=code
        )
        return session.openid, session.unionid

    try:
        identity = exchange(key, ask_wechat, observer)
    except WeChatError as error:
        raise refusals.from_wechat(error) from error
    observer.identified(identity)
    _refuse_foreign_namespace(source, identity)
    return identity


def identify_by_redirect(method: LoginMethod, code: str, observer: CodeObserver) -> WeChatIdentity:
    """Exchange the code of a redirect from WeChat.

    The answer isn't stored: the ``state`` that came with the code has been used up already.

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
) -> PhoneResult:
    """Exchange a phone code for the number; the OpenID is sent so that WeChat compares them.

    A code that was sent before isn't exchanged again, since WeChat charges for each exchange: the
    stored outcome is returned.
    """
    key = exchange_key(
        purpose="phone",
        application=str(application_id),
        source=str(source.pk),
        # The OpenID is part of the key, so that only the same person gets the stored outcome.
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
        refused = PhoneResult(key=key, status=PhoneStatus.INVALID_CODE)
        refused.keep()
        return refused
    except WeChatError as error:
        if not _may_be_spent(error):
            forget(key)
        return PhoneResult(key=key, status=PhoneStatus.UNAVAILABLE)
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


def _kept(key: str) -> PhoneResult:
    """Return the stored outcome of a code that was sent before."""
    kept = json.loads(kept_outcome(key) or "{}")
    number = kept.get("number", "")
    status = kept.get("status") or (None if number else PhoneStatus.UNAVAILABLE)
    return PhoneResult(status=status and PhoneStatus(status), number=number)


def _may_be_spent(error: WeChatError) -> bool:
    return isinstance(error, WeChatUnavailable) and error.reason != "connect_failed"


def _accepted(answer: PhoneNumber, source: IdentitySource) -> PhoneResult:
    # The watermark holds the AppID of the app that got the number.
    if answer.watermark_app_id != source.app_id:
        return PhoneResult(status=PhoneStatus.INVALID_CODE)
    try:
        parsed = phonenumbers.parse(answer.e164)
    except phonenumbers.NumberParseException:
        return PhoneResult(status=PhoneStatus.UNAVAILABLE)
    # A number too long for its country doesn't fit into the database column either.
    if not phonenumbers.is_possible_number(parsed):
        return PhoneResult(status=PhoneStatus.UNAVAILABLE)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return PhoneResult(number=number)

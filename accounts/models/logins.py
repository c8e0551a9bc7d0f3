"""Attempts to log in: the login events, and the WeChat codes that are being exchanged."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from accounts.models.sessions import Session
from applications.models import Application
from applications.rules import Way
from config.kernel.constraints import SamePool
from config.kernel.encryption import seal, unseal
from config.kernel.logs import request_id
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


class LoginEvent(models.Model):
    """One attempt to log in, with its outcome and the reason for its user. Rows never change.

    It holds no personal data: the user's id, but no OpenID, phone number or address. ``steps`` is
    the trace: what happened, in order, and where it stopped (accounts/login/trail.py). ``sid`` is
    the session that began or was ended. No row refers to an event, so that PostgreSQL can partition
    the table by id, a UUIDv7, which is ordered by time.
    """

    class Door(models.TextChoices):
        REST = "rest", _("REST API")
        REFRESH = "refresh", _("Token refresh")
        EXPERIENCE = "experience", _("Experience login")
        BIND = "bind", _("Account binding")
        HOSTED = "hosted", _("Login page")
        SINGLE_SIGN_ON = "single_sign_on", _("Single sign-on")
        TOKEN = "token", _("Token endpoint")

    class Conflict(models.TextChoices):
        UNIONID_CHANGED = "unionid_changed", _("Another UnionID than before")
        UNIONID_OF_ANOTHER_USER = "unionid_of_another_user", _("UnionID of another user")

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", _("Succeeded")
        REFUSED = "refused", _("Refused")

    class Decision(models.TextChoices):
        MATCHED_OPENID = "matched_openid", _("Known by OpenID")
        MATCHED_UNIONID = "matched_unionid", _("Known by UnionID")
        CREATED = "created", _("New user")
        MATCHED_PHONE = "matched_phone", _("Known by phone number")
        MERGED = "merged", _("Two users merged")
        BOUND = "bound", _("Bound after a proof")
        SINGLE_SIGN_ON = "signed_on", _("Signed on in this browser already")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="login_events", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="login_events",
        verbose_name=_("application"),
        db_constraint=False,
    )
    identity_source = models.ForeignKey(
        IdentitySource,
        models.PROTECT,
        null=True,
        related_name="login_events",
        verbose_name=_("identity source"),
        db_constraint=False,
    )
    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="login_events",
        db_constraint=False,
        db_index=False,
    )
    sid = models.UUIDField(null=True)
    door = models.CharField(_("door"), max_length=32, choices=Door.choices)
    way = models.CharField(_("way in"), max_length=32, choices=Way.choices, blank=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    error = models.CharField(max_length=64, blank=True)
    decision = models.CharField(max_length=32, choices=Decision.choices, blank=True)
    unionid_added = models.BooleanField(default=False)
    conflict = models.CharField(max_length=64, choices=Conflict.choices, blank=True)
    replayed = models.BooleanField(default=False)
    phone_status = models.CharField(max_length=16, blank=True)
    wechat_errcode = models.IntegerField(null=True)
    wechat_rid = models.CharField(max_length=64, blank=True)
    wechat_milliseconds = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    steps = models.JSONField(default=list, editable=False)
    occurred_at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("login event")
        verbose_name_plural = _("login events")
        constraints: ClassVar = [
            SamePool(name="accounts_loginevent_application_pool", field="application"),
            SamePool(name="accounts_loginevent_source_pool", field="identity_source"),
            SamePool(name="accounts_loginevent_user_pool", field="user"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["pool", "-occurred_at"], name="accounts_event_of_pool"),
            models.Index(fields=["pool", "user", "-occurred_at"], name="accounts_event_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d %H:%M:%S} · {self.get_outcome_display()}"

    @classmethod
    def record(cls, session: Session, *, door: str, now: datetime, **fields: Any) -> None:
        """Write an event about an existing session; ``fields`` are further fields of the event.

        It records that the session was entered or ended without a new login.
        """
        cls.objects.create(
            pool_id=session.pool_id,
            application=session.application,
            identity_source_id=session.identity_source_id,
            user=session.user,
            sid=session.pk,
            door=door,
            way=session.way,
            request_id=request_id.get(),
            occurred_at=now,
            **fields,
        )


class CodeExchange(models.Model):
    """One WeChat code that was used at one door, and what came of it, for when it is sent again.

    The code itself is not stored, only ``key``, its keyed hash with door, application and source.
    A login's code has its identity, for 60 s; a phone code is inserted before WeChat is asked.
    """

    key = models.CharField(max_length=64, primary_key=True)
    answer_ciphertext = models.BinaryField(default=b"")
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("code exchange")
        verbose_name_plural = _("code exchanges")

    def __str__(self) -> str:
        return f"{self.expires_at:%H:%M:%S}"

    def seal_answer(self, answer: str) -> bytes:
        """Encrypt WeChat's answer for this row."""
        return seal(self, "answer_ciphertext", answer)

    def answer(self) -> str:
        """Decrypt WeChat's answer.

        Raises:
            DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted it.

        """
        return unseal(self, "answer_ciphertext")

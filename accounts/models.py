"""People, what ties them to WeChat, their sessions and tokens, and what happened at logins."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from applications.rules import Way
from config.constraints import SamePool
from config.encryption import seal, unseal
from config.identifiers import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


def new_sub() -> str:
    """Return a new subject identifier: random, so that it tells nothing (OIDC Core §8)."""
    return str(uuid.uuid4())


class User(models.Model):
    """A person in a pool. Rows are never deleted: tokens and events name them."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="users")
    sub = models.CharField("sub", max_length=255, default=new_sub, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=Status.choices, default=Status.ACTIVE
    )
    nickname = models.CharField(_("nickname"), max_length=64, blank=True)
    avatar_url = models.CharField(_("avatar"), max_length=500, blank=True)
    phone_number = models.CharField(_("phone number"), max_length=16, blank=True)
    phone_number_verified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="accounts_user_pool"),
            models.UniqueConstraint(fields=["pool", "sub"], name="accounts_user_sub"),
            models.UniqueConstraint(
                fields=["pool", "phone_number"],
                condition=Q(phone_number_verified_at__isnull=False),
                name="accounts_user_verified_phone_number",
            ),
            models.CheckConstraint(
                condition=~Q(phone_number="") | Q(phone_number_verified_at__isnull=True),
                name="accounts_user_verified_means_a_number",
            ),
        ]

    def __str__(self) -> str:
        return self.sub


class LinkedAccount(models.Model):
    """What ties a user to WeChat: a row for each OpenID of an AppID, and one for the UnionID.

    An OpenID row also records the UnionID last seen with it; a UnionID row has no AppID. The
    AppID, not the source, is the key: it outlives a source that was archived and entered again.
    """

    class Kind(models.TextChoices):
        OPENID = "openid", "OpenID"
        UNIONID = "unionid", "UnionID"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="linked_accounts")
    user = models.ForeignKey(User, models.PROTECT, related_name="linked_accounts")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    app_id = models.CharField("AppID", max_length=32, blank=True)
    openid = models.CharField("OpenID", max_length=128, blank=True)
    unionid = models.CharField("UnionID", max_length=128, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "app_id", "openid"],
                condition=Q(kind="openid"),
                name="accounts_linkedaccount_openid",
            ),
            models.UniqueConstraint(
                fields=["pool", "unionid"],
                condition=Q(kind="unionid"),
                name="accounts_linkedaccount_unionid",
            ),
            # Two OpenIDs of one AppID can't be the same WeChat account.
            models.UniqueConstraint(
                fields=["pool", "user", "app_id"],
                condition=Q(kind="openid"),
                name="accounts_linkedaccount_one_openid_per_app",
            ),
            models.CheckConstraint(
                condition=(Q(kind="openid") & ~Q(app_id="") & ~Q(openid=""))
                | (Q(kind="unionid", app_id="", openid="") & ~Q(unionid="")),
                name="accounts_linkedaccount_kind",
            ),
            SamePool(name="accounts_linkedaccount_user_pool", field="user", to="accounts.User"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.user_id}"


class SessionQuerySet(models.QuerySet["Session"]):
    def end(self, *, now: datetime, reason: str) -> int:
        """End those that still run; return how many there were."""
        return self.filter(ended_at__isnull=True).update(ended_at=now, end_reason=reason)


class Session(models.Model):
    """A login that lasts: what every code, refresh family and access token (``sid``) belongs to."""

    class EndReason(models.TextChoices):
        LOGGED_OUT = "logged_out", _("Logged out")
        REFRESH_TOKEN_REUSED = "refresh_token_reused", _("A refresh token was used twice")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="sessions")
    user = models.ForeignKey(User, models.PROTECT, related_name="sessions")
    application = models.ForeignKey(Application, models.PROTECT, related_name="sessions")
    identity_source = models.ForeignKey(IdentitySource, models.PROTECT, related_name="sessions")
    way = models.CharField(_("way in"), max_length=32, choices=Way.choices)
    auth_time = models.DateTimeField(_("logged in at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.CharField(max_length=32, choices=EndReason.choices, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes: ClassVar = [
            models.Index(fields=["pool", "user", "-auth_time"], name="accounts_session_of_user")
        ]
        constraints: ClassVar = [
            SamePool(name="accounts_session_user_pool", field="user", to="accounts.User"),
            SamePool(
                name="accounts_session_application_pool",
                field="application",
                to="applications.Application",
            ),
            SamePool(
                name="accounts_session_source_pool",
                field="identity_source",
                to="identity_sources.IdentitySource",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RefreshTokenQuerySet(models.QuerySet["RefreshToken"]):
    def unspent(self, now: datetime) -> Self:
        """Keep the tokens that may still be exchanged."""
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)


class RefreshToken(models.Model):
    """One token of a family: each exchange spends one and makes the next (RFC 9700 §4.14.2)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(Session, models.PROTECT, related_name="refresh_tokens")
    family = models.UUIDField(default=new_id, editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True)
    scope = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    family_expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = RefreshTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")
        indexes: ClassVar = [
            models.Index(fields=["family"], name="accounts_refreshtoken_family"),
            models.Index(fields=["expires_at"], name="accounts_refreshtoken_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LoginEvent(models.Model):
    """One attempt to log in, with its outcome and why this user. Only ever added to.

    Holds no personal value: the user's id, but neither OpenID, phone number nor address.
    ``occurred_at`` follows the id's time, and no row refers to an event, so that PostgreSQL can
    partition the table by time.
    """

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded", _("Succeeded")
        REFUSED = "refused", _("Refused")

    class Decision(models.TextChoices):
        MATCHED_OPENID = "matched_openid", _("Known by OpenID")
        MATCHED_UNIONID = "matched_unionid", _("Known by UnionID")
        CREATED = "created", _("New user")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="login_events")
    application = models.ForeignKey(Application, models.PROTECT, related_name="login_events")
    identity_source = models.ForeignKey(
        IdentitySource, models.PROTECT, null=True, related_name="login_events"
    )
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="login_events")
    door = models.CharField(max_length=32)
    way = models.CharField(max_length=32, choices=Way.choices, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    error = models.CharField(max_length=64, blank=True)
    decision = models.CharField(max_length=32, choices=Decision.choices, blank=True)
    unionid_added = models.BooleanField(default=False)
    conflict = models.CharField(max_length=64, blank=True)
    replayed = models.BooleanField(default=False)
    phone_status = models.CharField(max_length=16, blank=True)
    wechat_errcode = models.IntegerField(null=True)
    wechat_rid = models.CharField(max_length=64, blank=True)
    wechat_milliseconds = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name = _("login event")
        verbose_name_plural = _("login events")
        indexes: ClassVar = [
            models.Index(fields=["pool", "-occurred_at"], name="accounts_event_of_pool"),
            models.Index(fields=["pool", "user", "-occurred_at"], name="accounts_event_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d %H:%M:%S} · {self.outcome}"


class CodeExchange(models.Model):
    """One WeChat code at one door: who exchanges it, and for 60 s the identity it gave.

    The code itself is not stored, only ``key``, its keyed hash with door, application and source.
    The first request inserts the row and asks WeChat; the same code sent meanwhile waits for it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    key = models.CharField(max_length=64, primary_key=True)
    holder = models.UUIDField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    answer_ciphertext = models.BinaryField(default=b"")
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("code exchange")
        verbose_name_plural = _("code exchanges")
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_exchange_expiry")]

    def __str__(self) -> str:
        return f"{self.state} · {self.expires_at:%H:%M:%S}"

    def seal_answer(self, answer: str) -> bytes:
        """Encrypt WeChat's answer for this row."""
        return seal(self, "answer_ciphertext", answer)

    def answer(self) -> str:
        """Decrypt WeChat's answer.

        Raises:
            DecryptionError: ENCRYPTION_KEYS lacks the key that encrypted it.

        """
        return unseal(self, "answer_ciphertext")

"""Logins in a browser: browser sessions, and authorization requests that wait for a person."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from applications.models import Application, LoginMethod
from applications.rules import Way
from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


class BrowserSessionQuerySet(models.QuerySet["BrowserSession"]):
    def running(self, now: datetime) -> Self:
        """Keep those that have neither ended nor expired."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)


class BrowserSession(models.Model):
    """A person who is signed on in one browser; the basis of single sign-on within the pool.

    The browser holds a random secret in a cookie, the row its hash. Each application that the
    person enters from it has a Session of its own, which ends with it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="browser_sessions",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="browser_sessions", db_constraint=False, db_index=False
    )
    identity_source = models.ForeignKey(
        IdentitySource,
        models.PROTECT,
        related_name="browser_sessions",
        db_constraint=False,
        db_index=False,
    )
    way = models.CharField(max_length=32, choices=Way.choices)
    secret_hash = models.BinaryField(max_length=32, unique=True)
    auth_time = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = BrowserSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("browser session")
        verbose_name_plural = _("browser sessions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="accounts_browsersession_pool"),
            SamePool(name="accounts_browsersession_user_pool", field="user"),
            SamePool(name="accounts_browsersession_source_pool", field="identity_source"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class DeviceAuthorization(models.Model):
    """A device that polls until its person decides in a browser (RFC 8628)."""

    class Decision(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="device_authorizations",
        db_constraint=False,
        db_index=False,
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="device_authorizations",
        db_constraint=False,
        db_index=False,
    )
    session = models.ForeignKey(
        "accounts.Session",
        models.PROTECT,
        null=True,
        related_name="device_authorizations",
        db_constraint=False,
        db_index=False,
    )
    device_code_hash = models.BinaryField(max_length=32, unique=True)
    user_code_hash = models.CharField(max_length=64)
    scope = models.CharField(max_length=500)
    decision = models.CharField(max_length=16, choices=Decision.choices, default=Decision.PENDING)
    interval = models.PositiveSmallIntegerField()
    polled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("device authorization")
        verbose_name_plural = _("device authorizations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="accounts_device_pool"),
            models.UniqueConstraint(
                fields=["pool", "user_code_hash"], name="accounts_device_user_code"
            ),
            SamePool(name="accounts_device_application_pool", field="application"),
            SamePool(name="accounts_device_session_pool", field="session"),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_device_expiry")]

    def __str__(self) -> str:
        return str(self.pk)


class AuthorizationRequest(models.Model):
    """The request of an application or a device, stored while the person logs in and consents.

    ``parameters`` are those of RFC 6749 §4.1.1 and OpenID Connect Core §3.1.2.1, checked already
    (accounts/oidc/authorization). It can be continued only in the browser that began it, which has
    the secret of ``browser_hash``; ``handle_hash`` is the hash of the handle in the page's address.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="authorization_requests",
        db_constraint=False,
        db_index=False,
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="authorization_requests",
        db_constraint=False,
        db_index=False,
    )
    device = models.ForeignKey(
        DeviceAuthorization,
        models.CASCADE,
        null=True,
        related_name="authorization_requests",
        db_constraint=False,
    )
    session = models.ForeignKey(
        "accounts.Session",
        models.PROTECT,
        null=True,
        related_name="authorization_requests",
        db_constraint=False,
        db_index=False,
    )
    handle_hash = models.BinaryField(max_length=32, unique=True)
    browser_hash = models.BinaryField(max_length=32)
    parameters = models.JSONField(default=dict)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("authorization request")
        verbose_name_plural = _("authorization requests")
        constraints: ClassVar = [
            SamePool(name="accounts_authrequest_application_pool", field="application"),
            SamePool(name="accounts_authrequest_device_pool", field="device"),
            SamePool(name="accounts_authrequest_session_pool", field="session"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="accounts_authrequest_expiry")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class WeChatState(models.Model):
    """The ``state`` of one redirect to WeChat, with which the browser returns, once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(AuthorizationRequest, models.CASCADE, related_name="wechat_states")
    login_method = models.ForeignKey(
        LoginMethod, models.CASCADE, related_name="wechat_states", db_index=False
    )
    state_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_wechattrip"
        verbose_name = _("WeChat state")
        verbose_name_plural = _("WeChat states")

    def __str__(self) -> str:
        return str(self.pk)


class Consent(models.Model):
    """The scopes that a person allowed an application."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="consents", db_constraint=False, db_index=False
    )
    user = models.ForeignKey(
        User, models.PROTECT, related_name="consents", db_constraint=False, db_index=False
    )
    application = models.ForeignKey(
        Application, models.PROTECT, related_name="consents", db_constraint=False, db_index=False
    )
    scope = models.CharField(max_length=500)
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pool", "user", "application"], name="accounts_consent_once"
            ),
            SamePool(name="accounts_consent_user_pool", field="user"),
            SamePool(name="accounts_consent_application_pool", field="application"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

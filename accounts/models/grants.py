"""Authorization codes, pushed requests and revoked access tokens of the OpenID provider."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.sessions import Session
from applications.models import Application
from applications.redirect_uris import REDIRECT_URI_MAX_LENGTH
from config.kernel.constraints import SamePool
from config.kernel.primary_keys import new_id
from userpools.models import UserPool


class AuthorizationCode(models.Model):
    """An authorization code, stored as a hash: valid once, for a minute (RFC 6749 §4.1.2).

    ``family`` is the refresh family of its tokens, which are revoked if the code is used again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="authorization_codes",
        db_constraint=False,
        db_index=False,
    )
    session = models.ForeignKey(
        Session,
        models.PROTECT,
        related_name="authorization_codes",
        db_constraint=False,
        db_index=False,
    )
    code_hash = models.BinaryField(max_length=32, unique=True)
    family = models.UUIDField(default=new_id)
    redirect_uri = models.CharField(max_length=REDIRECT_URI_MAX_LENGTH)
    scope = models.CharField(max_length=500)
    nonce = models.CharField(max_length=512, blank=True)
    code_challenge = models.CharField(max_length=128, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("authorization code")
        verbose_name_plural = _("authorization codes")
        constraints: ClassVar = [
            SamePool(name="accounts_authcode_session_pool", field="session"),
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="accounts_authcode_expiry")]

    def __str__(self) -> str:
        return str(self.pk)


class PushedRequest(models.Model):
    """The parameters of a pushed authorization request (RFC 9126)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool,
        models.PROTECT,
        related_name="pushed_requests",
        db_constraint=False,
        db_index=False,
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="pushed_requests",
        db_constraint=False,
        db_index=False,
    )
    handle_hash = models.BinaryField(max_length=32, unique=True)
    parameters = models.JSONField(default=dict)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("pushed authorization request")
        verbose_name_plural = _("pushed authorization requests")
        constraints: ClassVar = [
            SamePool(name="accounts_pushedrequest_application_pool", field="application"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="accounts_pushedrequest_expiry")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RevokedAccessToken(models.Model):
    """A machine's access token that was revoked before it expired; it has no session to end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="revoked_access_tokens", db_index=False
    )
    jti = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("revoked access token")
        verbose_name_plural = _("revoked access tokens")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "jti"], name="accounts_revokedtoken_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="accounts_revokedtoken_expiry")
        ]

    def __str__(self) -> str:
        return str(self.pk)

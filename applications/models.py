"""Self-built applications (OAuth clients) and the login methods they offer."""

import secrets
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.redirect_uris import REDIRECT_URI_MAX_LENGTH, validate_redirect_uri
from applications.rules import ApplicationType, Way, is_confidential, ways_in
from config.constraints import SamePool
from config.encryption import token_hash
from config.identifiers import IDENTIFIER_MAX_LENGTH, validate_client_id
from config.immutable import ImmutableFieldsMixin
from config.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import SigningKey, UserPool

CLIENT_SECRET_MIN_LENGTH = 32
CLIENT_SECRET_BYTES = 32  # 256 random bits, so that one round of SHA-256 suffices

ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
REFRESH_TOKEN_IDLE_LIFETIME = timedelta(days=30)
REFRESH_TOKEN_ABSOLUTE_LIFETIME = timedelta(days=180)


class Application(ImmutableFieldsMixin):
    """A self-built application of the operator's: an OAuth client with a type."""

    IMMUTABLE = ("pool", "client_id", "type")

    class ClientAuthentication(models.TextChoices):
        NONE = "none", _("None (public client)")
        CLIENT_SECRET = "client_secret", _("Client secret")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="applications")
    client_id = models.CharField(
        _("client ID"),
        max_length=IDENTIFIER_MAX_LENGTH,
        unique=True,
        validators=[validate_client_id],
        help_text=_("Unique in this installation; can't be changed or used again."),
    )
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=16, choices=ApplicationType.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    client_authentication = models.CharField(
        _("client authentication"),
        max_length=16,
        choices=ClientAuthentication.choices,
        default=ClientAuthentication.NONE,
    )
    signing_algorithm = models.CharField(
        _("signing algorithm"),
        max_length=8,
        choices=SigningKey.Algorithm.choices,
        default=SigningKey.Algorithm.ES256,
    )
    access_token_lifetime = models.DurationField(
        _("access token lifetime"),
        default=ACCESS_TOKEN_LIFETIME,
        validators=[MinValueValidator(timedelta(minutes=1))],
    )
    refresh_token_idle_lifetime = models.DurationField(
        _("refresh token lifetime when unused"),
        default=REFRESH_TOKEN_IDLE_LIFETIME,
        validators=[MinValueValidator(timedelta(minutes=1))],
    )
    refresh_token_absolute_lifetime = models.DurationField(
        _("refresh token lifetime since the login"),
        default=REFRESH_TOKEN_ABSOLUTE_LIFETIME,
        validators=[MinValueValidator(timedelta(minutes=1))],
    )
    # Field name → digest of the value that `apply` last wrote (applications/manifest/applied.py).
    applied = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="applications_application_pool")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.refuse_changes()
        is_public = self.client_authentication == self.ClientAuthentication.NONE
        if is_public and is_confidential(self.type):
            raise ValidationError(
                {"client_authentication": _("An application of this type must have a secret.")}
            )


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def usable(self, now: datetime) -> Self:
        """Keep the secrets that have not expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))


class ClientSecret(models.Model):
    """A hashed secret of a confidential application; two overlap while one is rotated."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.PROTECT, related_name="client_secrets")
    secret_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "secret_hash"], name="applications_clientsecret_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.created_at:%Y-%m-%d}"

    def is_usable(self, now: datetime) -> bool:
        """Tell whether the secret has not expired."""
        return self.expires_at is None or self.expires_at > now

    @staticmethod
    def generate() -> str:
        """Return a new random secret of 256 bits, to be shown once."""
        return secrets.token_urlsafe(CLIENT_SECRET_BYTES)

    @classmethod
    def for_application(cls, application: Application, secret: str) -> "ClientSecret":
        """Return an unsaved row for a secret.

        Raises:
            ValidationError: the secret is shorter than 32 characters (it isn't quoted).

        """
        if len(secret) < CLIENT_SECRET_MIN_LENGTH:
            raise ValidationError(
                {"client_secret": _("Use at least 32 characters, all of them random.")}
            )
        return cls(application=application, secret_hash=token_hash(secret))


class RedirectURI(models.Model):
    """Where the application takes its answer; compared character by character (RFC 9700 §2.1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="redirect_uris")
    uri = models.CharField("redirect_uri", max_length=REDIRECT_URI_MAX_LENGTH)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("redirect URI")
        verbose_name_plural = _("redirect URIs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "uri"], name="applications_redirecturi_once"
            )
        ]

    def __str__(self) -> str:
        return self.uri

    def clean(self) -> None:
        try:
            validate_redirect_uri(self.uri, self.application.type)
        except ValidationError as error:
            raise ValidationError({"uri": error}) from error


class LoginMethodQuerySet(models.QuerySet["LoginMethod"]):
    def offered(self) -> Self:
        """Keep the methods that are switched on and whose source is not archived."""
        return self.filter(enabled=True, identity_source__archived_at__isnull=True)


class LoginMethod(models.Model):
    """This application offers this identity source, by this way in: the social login toggle."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(UserPool, models.PROTECT, related_name="login_methods")
    application = models.ForeignKey(Application, models.PROTECT, related_name="login_methods")
    identity_source = models.ForeignKey(
        IdentitySource, models.PROTECT, related_name="login_methods"
    )
    way = models.CharField(_("way in"), max_length=32, choices=Way.choices)
    enabled = models.BooleanField(_("enabled"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = LoginMethodQuerySet.as_manager()

    class Meta:
        verbose_name = _("login method")
        verbose_name_plural = _("login methods")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "identity_source", "way"],
                name="applications_loginmethod_once",
            ),
            SamePool(
                name="applications_loginmethod_application_pool",
                field="application",
            ),
            SamePool(
                name="applications_loginmethod_source_pool",
                field="identity_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application} · {self.identity_source.identifier} · {self.way}"

    def clean(self) -> None:
        if not hasattr(self, "identity_source"):
            return  # a form that refused the source left it out
        if self.way not in ways_in(self.identity_source.type, self.application.type):
            raise ValidationError(
                _("An application of this type can't use this identity source this way.")
            )

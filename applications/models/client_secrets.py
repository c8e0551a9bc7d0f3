"""The client authentication of confidential applications: secrets, and used assertions."""

from datetime import datetime
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.applications import Application
from config.kernel.encryption import new_token, token_hash
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id

CLIENT_SECRET_MIN_LENGTH = 32


class ClientSecretQuerySet(ConfigurationQuerySet["ClientSecret"]):
    def usable(self, now: datetime) -> Self:
        """Keep the secrets that have not expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))


class ClientSecret(Configuration):
    """A hashed secret of a confidential application; two overlap during a rotation."""

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
        return new_token()

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


class ClientAssertion(models.Model):
    """The ``jti`` of an accepted client assertion: it is valid once (RFC 7523 §3)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="client_assertions")
    jti_hash = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("client assertion")
        verbose_name_plural = _("client assertions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "jti_hash"], name="applications_clientassertion_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="applications_assertion_expiry")
        ]

    def __str__(self) -> str:
        return str(self.pk)

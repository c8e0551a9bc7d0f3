"""Self-built applications: OAuth clients with a type."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from applications.client_keys import validate_client_jwks
from applications.redirect_uris import REDIRECT_URI_MAX_LENGTH, validate_logout_uri
from applications.rules import (
    LONGEST_REFRESH_LEEWAY,
    ApplicationType,
    is_confidential,
    is_redirected,
)
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH, validate_client_id
from config.kernel.immutable import ImmutableFieldsMixin
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id
from userpools.models import SigningKey, UserPool

ACCESS_TOKEN_LIFETIME = timedelta(hours=1)
REFRESH_TOKEN_IDLE_LIFETIME = timedelta(days=30)
REFRESH_TOKEN_ABSOLUTE_LIFETIME = timedelta(days=180)
REFRESH_LEEWAY = 30
"""seconds"""


class Application(ImmutableFieldsMixin, Configuration):
    """A self-built application of the operator's: an OAuth client with a type."""

    IMMUTABLE = ("pool", "client_id", "type")

    class ClientAuthentication(models.TextChoices):
        NONE = "none", _("None (public client)")
        CLIENT_SECRET = "client_secret", _("Client secret")
        PRIVATE_KEY_JWT = "private_key_jwt", _("Private key (private_key_jwt)")

    class Pkce(models.TextChoices):
        REQUIRED = "required", _("Required")
        OPTIONAL = "optional", _("Optional, where a nonce is sent")

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
    other_algorithm_until = models.DateTimeField(null=True, editable=False)
    """until when its tokens were, or may have been, signed by the other algorithm"""
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
    refresh_leeway = models.PositiveSmallIntegerField(
        _("leeway for repeated refreshes"),
        default=REFRESH_LEEWAY,
        validators=[MaxValueValidator(LONGEST_REFRESH_LEEWAY)],
        help_text=_(
            "Seconds. A client that sends a used refresh token again within this time, because it "
            "didn't get the answer, gets the same new one. 0 ends the session instead."
        ),
    )
    jwks = models.JSONField(
        _("public keys"),
        null=True,
        blank=True,
        validators=[validate_client_jwks],
        help_text=_("A JWK set, by which private_key_jwt is verified."),
    )
    pkce = models.CharField("PKCE", max_length=16, choices=Pkce.choices, default=Pkce.REQUIRED)
    requires_consent = models.BooleanField(
        _("ask for consent"),
        default=False,
        help_text=_("The person confirms once what the application may know of them."),
    )
    allows_device_flow = models.BooleanField(
        _("device flow"),
        default=False,
        help_text=_("Devices without a browser show a code that the person enters elsewhere."),
    )
    backchannel_logout_uri = models.CharField(
        _("back-channel logout URI"),
        max_length=REDIRECT_URI_MAX_LENGTH,
        blank=True,
        validators=[validate_logout_uri],
        help_text=_("Is told, server to server, when a session of the application's ends."),
    )
    # Field name → digest of the value that `apply` last wrote (applications/manifest/state.py).
    applied = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ConfigurationQuerySet["Application"].as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["pool", "id"], name="applications_application_pool")
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Note when the signing algorithm changes: a key that signed before may be revoked."""
        if not self._state.adding and self._changes_algorithm(kwargs.get("update_fields")):
            self.other_algorithm_until = timezone.now()
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "other_algorithm_until"}
        super().save(*args, **kwargs)

    def _changes_algorithm(self, update_fields: Collection[str] | None) -> bool:
        if update_fields is not None and "signing_algorithm" not in update_fields:
            return False
        same = Application.objects.filter(pk=self.pk, signing_algorithm=self.signing_algorithm)
        return not same.exists()

    def clean(self) -> None:
        self.refuse_changes()
        self.refuse_contradictions()

    def refuse_contradictions(self) -> None:
        """Check the fields of the client authentication together.

        Raises:
            ValidationError: they contradict each other, or don't fit the application's type.

        """
        self._refuse_weak_authentication()
        is_public = self.client_authentication == self.ClientAuthentication.NONE
        if self.pkce == self.Pkce.OPTIONAL and is_public:
            raise ValidationError(
                {"pkce": _("An application that proves itself by nothing needs PKCE.")}
            )
        if self.allows_device_flow and not is_redirected(self.type):
            raise ValidationError(
                {"allows_device_flow": _("An application of this type can't use it.")}
            )

    def _refuse_weak_authentication(self) -> None:
        authentication = self.client_authentication
        if authentication == self.ClientAuthentication.NONE and is_confidential(self.type):
            raise ValidationError(
                {"client_authentication": _("An application of this type must have a secret.")}
            )
        if authentication != self.ClientAuthentication.PRIVATE_KEY_JWT:
            return
        if not is_confidential(self.type):
            raise ValidationError(
                {"client_authentication": _("An application of this type can't keep a key.")}
            )
        if not self.jwks:
            raise ValidationError(
                {"jwks": _("private_key_jwt needs the application's public keys.")}
            )

"""Redirect URIs of an application: registered in full, compared character by character."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.applications import Application
from applications.redirect_uris import (
    REDIRECT_URI_MAX_LENGTH,
    origin_of,
    validate_redirect_uri,
)
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id


class RegisteredURI(Configuration):
    """A URI of the application, in full."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    application: models.ForeignKey[Application, Application]
    uri = models.CharField(max_length=REDIRECT_URI_MAX_LENGTH)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.uri

    def clean(self) -> None:
        try:
            validate_redirect_uri(self.uri, self.application.type)
        except ValidationError as error:
            raise ValidationError({"uri": error}) from error


class RedirectURI(RegisteredURI):
    """Where the authorization response goes; compared character by character (RFC 9700 §2.1).

    ``origin`` is its web origin, which may read responses (CORS); empty for other schemes.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="redirect_uris")
    uri = models.CharField("redirect_uri", max_length=REDIRECT_URI_MAX_LENGTH)
    origin = models.CharField(max_length=REDIRECT_URI_MAX_LENGTH, editable=False, db_index=True)

    objects = ConfigurationQuerySet["RedirectURI"].as_manager()

    class Meta:
        verbose_name = _("redirect URI")
        verbose_name_plural = _("redirect URIs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "uri"], name="applications_redirecturi_once"
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.origin = origin_of(self.uri)
        super().save(*args, **kwargs)


class PostLogoutRedirectURI(RegisteredURI):
    """Where a person may be redirected after logging out (RP-Initiated Logout §3)."""

    application = models.ForeignKey(
        Application, models.CASCADE, related_name="post_logout_redirect_uris"
    )
    uri = models.CharField("post_logout_redirect_uri", max_length=REDIRECT_URI_MAX_LENGTH)

    objects = ConfigurationQuerySet["PostLogoutRedirectURI"].as_manager()

    class Meta:
        verbose_name = _("post-logout redirect URI")
        verbose_name_plural = _("post-logout redirect URIs")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "uri"], name="applications_postlogouturi_once"
            )
        ]

"""Which sources an application offers, by which way in: the social login toggles."""

from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.applications import Application
from applications.rules import Way, ways_in
from config.kernel.constraints import SamePool
from config.kernel.memory import Configuration, ConfigurationQuerySet
from config.kernel.primary_keys import new_id
from identity_sources.models import IdentitySource
from userpools.models import UserPool


class LoginMethodQuerySet(ConfigurationQuerySet["LoginMethod"]):
    def offered(self) -> Self:
        """Keep the enabled methods whose source is not archived."""
        return self.filter(enabled=True, identity_source__archived_at__isnull=True)


class LoginMethod(Configuration):
    """This application offers this identity source, by this way in: the social login toggle."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pool = models.ForeignKey(
        UserPool, models.PROTECT, related_name="login_methods", db_constraint=False
    )
    application = models.ForeignKey(
        Application,
        models.PROTECT,
        related_name="login_methods",
        db_constraint=False,
        db_index=False,
    )
    identity_source = models.ForeignKey(
        IdentitySource, models.PROTECT, related_name="login_methods", db_constraint=False
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

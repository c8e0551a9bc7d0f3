from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    """Self-built applications and the login methods they offer."""

    name = "applications"
    verbose_name = _("Applications")

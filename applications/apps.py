from corsheaders.signals import check_request_enabled
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from applications.cors import allows_origin


class ApplicationsConfig(AppConfig):
    """Self-built applications and the login methods they offer."""

    name = "applications"
    verbose_name = _("Applications")

    def ready(self) -> None:
        check_request_enabled.connect(allows_origin, dispatch_uid="applications.cors")

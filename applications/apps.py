from corsheaders.signals import check_request_enabled
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    """Self-built applications and the login methods they offer."""

    name = "applications"
    verbose_name = _("Applications")

    def ready(self) -> None:
        from applications.cors import allows_origin  # noqa: PLC0415 - models are loaded by now

        check_request_enabled.connect(allows_origin, dispatch_uid="applications.cors")

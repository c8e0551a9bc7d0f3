from django.apps import AppConfig

from config.wiring import checks, openapi  # noqa: F401  (both register themselves)


class ConfigAppConfig(AppConfig):
    """The kernel; an app only so that its system checks and management commands are found."""

    name = "config"

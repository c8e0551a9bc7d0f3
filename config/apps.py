from django.apps import AppConfig

from config import checks  # noqa: F401  (registers the system checks)


class ConfigAppConfig(AppConfig):
    """The kernel; an app only so that its system checks and management commands are found."""

    name = "config"

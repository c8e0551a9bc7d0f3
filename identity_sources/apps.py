from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentitySourcesConfig(AppConfig):
    """WeChat apps that people come from."""

    name = "identity_sources"
    verbose_name = _("Identity sources")

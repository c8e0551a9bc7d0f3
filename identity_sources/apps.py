from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentitySourcesConfig(AppConfig):
    """Identity sources: WeChat apps by which people log in."""

    name = "identity_sources"
    verbose_name = _("Identity sources")

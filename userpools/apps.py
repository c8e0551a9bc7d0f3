from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UserPoolsConfig(AppConfig):
    """User pools, their keys, and their operators."""

    name = "userpools"
    verbose_name = _("User pools")

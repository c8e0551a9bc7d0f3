from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Makes the console Django's admin site."""

    default_site = "userpools.console.site.ConsoleSite"

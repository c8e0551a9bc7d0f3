"""System checks of settings.

Two are errors and keep the server from starting; the others warn of what may be unintended.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004

SECRET_KEY_MIN_LENGTH = 32


@register(Tags.security, deploy=True)
def check_debug_is_off(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """DEBUG shows source code and settings on error pages."""
    if not settings.DEBUG:
        return []
    return [Error("DEBUG is on.", hint="Set DEBUG=off.", id="unionpass.E001")]


@register(Tags.security)
def check_secret_key_is_long(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a short key: it can be guessed, and with it every signed cookie."""
    if len(settings.SECRET_KEY) >= SECRET_KEY_MIN_LENGTH:
        return []
    return [
        Error(
            "SECRET_KEY has fewer than 32 characters.",
            hint="Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="unionpass.E002",
        )
    ]


@register(Tags.database, deploy=True)
def check_database_is_postgresql(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """SQLite has one writer; it is for evaluation and for small installations."""
    if settings.DATABASES["default"]["ENGINE"] == "config.kernel.postgresql":
        return []
    return [
        Warning(
            "The database is SQLite, which writes for one login at a time.",
            hint="For production set DATABASE_URL=postgres://user:password@host:5432/name.",
            id="unionpass.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_proxy_is_trusted(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Https ends at a proxy; if it isn't trusted, all clients seem to have its address."""
    if settings.PUBLIC_URL.startswith("http://") or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "PUBLIC_URL is https, but TRUSTED_PROXIES is empty: callers' addresses are not known, "
            "and http is not redirected.",
            hint="Set TRUSTED_PROXIES to the network of the proxy that ends https.",
            id="unionpass.W002",
        )
    ]

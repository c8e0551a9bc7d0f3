"""Readers of environment variables: each refuses an invalid value with one sentence.

Every variable may also be given as ``NAME_FILE``, the path of a file that holds the value
(Docker and Kubernetes secrets). A variable that is set but empty counts as not set, except where
a reader says otherwise.
"""

import ipaddress
import os
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# The mapping itself, not environ.Env: that would read a value that begins with $ as the name of
# another variable, which would silently lose a secret.
_variables = environ.FileAwareMapping(cache=False)

_ADDRESS = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):([0-9]{1,5})")
_LARGEST_PORT = 65535
_URL = re.compile(r"[!-~]+")  # visible ASCII: urlsplit drops line breaks in silence
_RATE = re.compile(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")


def text(name: str, default: str = "") -> str:
    """Return the variable's text without surrounding whitespace; empty counts as not set."""
    try:
        value: str = _variables.get(name, "")
    except (OSError, ValueError):
        raise ImproperlyConfigured(
            f"{name}_FILE must be the path of a text file that this user may read."
        ) from None
    return value.strip() or default


def required_secret(name: str, how_to_make: str) -> str:
    """Return a secret, or stop with a message that has the command to generate one."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set {name} (or {name}_FILE), for example to the output of: "
            f"{how_to_make}"
        )
    return value


def switch(name: str, *, default: bool) -> bool:
    """Return a yes/no variable; anything but on/off, true/false, yes/no, 1/0 is refused."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"on", "true", "yes", "1"}:
        return True
    if value in {"off", "false", "no", "0"}:
        return False
    raise ImproperlyConfigured(f"{name} is neither on nor off. Set it to on or off.")


def positive_number(name: str, default: float) -> float:
    """Return a number above zero."""
    value = text(name)
    try:
        number = float(value) if value else default
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise ImproperlyConfigured(f"{name} must be a number above 0, such as {default:g}.")
    return number


def positive_integer(name: str, default: int) -> int:
    """Return a whole number above zero."""
    number = float(positive_number(name, default))
    if number != int(number):
        raise ImproperlyConfigured(f"{name} must be a whole number above 0, such as {default}.")
    return int(number)


def words(name: str, default: list[str]) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [word for part in text(name).split(",") if (word := part.strip())] or default


def networks(name: str) -> list[Network]:
    """Return a comma-separated list of IP networks; a lone address is a network of one."""
    try:
        return [ipaddress.ip_network(word) for word in words(name, [])]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} is a comma-separated list of networks such as 10.0.0.0/8: {error}."
        ) from None


def rate(name: str, default: str) -> str:
    """Return a rate such as ``60/min``; set but empty means: no limit."""
    if name in os.environ and not os.environ[name].strip():
        return ""
    value = text(name, default)
    if not _RATE.fullmatch(value):
        raise ImproperlyConfigured(
            f"{name} must be a number and a period, such as {default}, or empty for no limit."
        )
    return value


def address(name: str, default: str) -> str:
    """Return where to listen, as ``host:port``; an IPv6 host is in brackets."""
    value = text(name, default)
    found = _ADDRESS.fullmatch(value)
    if not found or int(found[2]) > _LARGEST_PORT:
        raise ImproperlyConfigured(f"{name} must be a host and a port, such as {default}.")
    return value


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(name: str, default: str) -> str:
    """Return a base URL without a trailing slash: https, or http on loopback; no query."""
    value = text(name, default).rstrip("/")
    url = _split(value)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        raise ImproperlyConfigured(f"{name} must be a URL such as https://login.example.com.")
    if "@" in url.netloc:
        raise ImproperlyConfigured(f"{name} must not hold a user name or password.")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ImproperlyConfigured(
            f"{name} must begin with https://, since {url.hostname} is not this machine; "
            "http is accepted on loopback only."
        )
    return value


def proxy_url(name: str) -> str:
    """Return a proxy's URL, which may hold a password, or nothing; a bad one isn't quoted."""
    value = text(name)
    try:
        url = urlsplit(value)
        known = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        known = False
    if value and not known:
        raise ImproperlyConfigured(f"{name} must be a URL such as http://proxy.example.com:3128.")
    return value


def email() -> dict[str, Any]:
    """Return Django's EMAIL_* settings for ``EMAIL_URL``; nothing where it isn't set."""
    url = text("EMAIL_URL")
    try:
        config: dict[str, Any] = dict(environ.Env.email_url_config(url)) if url else {}
        known = not url or urlsplit(url).scheme in environ.Env.EMAIL_SCHEMES
    except (ValueError, KeyError, ImproperlyConfigured):
        known = False
    if not known:
        raise ImproperlyConfigured(
            "EMAIL_URL can't be read. Use smtp+tls://user:password@mail.example.com:587, with "
            "special characters percent-encoded, or leave it empty to send no mail."
        )
    return {name: value for name, value in config.items() if name.startswith("EMAIL_")}


def database() -> dict[str, Any]:
    """Return Django's DATABASES entry for ``DATABASE_URL``, tuned for its engine."""
    url = text("DATABASE_URL", "sqlite:///unionpass.sqlite3")
    scheme, _, rest = url.partition("://")
    tune = {"sqlite": _tune_sqlite, "postgres": _tune_pg, "postgresql": _tune_pg}.get(scheme)
    if tune is None:
        raise ImproperlyConfigured(
            "DATABASE_URL must name PostgreSQL (postgres://…) or SQLite (sqlite:///…)."
        )
    if scheme == "sqlite" and rest and not rest.startswith("/"):
        # django-environ would take the name for a host and keep everything in memory.
        raise ImproperlyConfigured(
            "DATABASE_URL names no file. Use sqlite:///file or sqlite:////path/to/file."
        )
    try:
        parsed: dict[str, Any] = dict(environ.Env.db_url_config(url))
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured(
            "DATABASE_URL can't be read. Use postgres://user:password@host:5432/name or "
            "sqlite:////path/to/file."
        ) from None
    parsed["OPTIONS"] = {**tune(), **parsed.get("OPTIONS", {})}
    if parsed["OPTIONS"].get("prepare_threshold") == "None":
        parsed["OPTIONS"]["prepare_threshold"] = None  # a URL has texts and numbers only
    if scheme != "sqlite":
        parsed["ENGINE"] = "config.kernel.postgresql"
    return parsed


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if _URL.fullmatch(url) else "")
        _port = parts.port  # reading it is what checks it
    except ValueError:
        return urlsplit("")
    return parts


def _tune_sqlite() -> dict[str, Any]:
    # Without immediate transactions, concurrent first logins fail on "database is locked": a
    # transaction that read first can't be upgraded to a writer when another one wrote meanwhile.
    return {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }


def _tune_pg() -> dict[str, Any]:
    # A login releases its connection while WeChat is called, so a small pool serves many threads;
    # waiting longer than 10 s for a connection counts as an unreachable database.
    return {
        "pool": {"min_size": 1, "max_size": 16, "timeout": 10},
        # PostgreSQL keeps the plan of a statement that a connection repeats.
        "server_side_binding": True,
        "prepare_threshold": 3,
    }

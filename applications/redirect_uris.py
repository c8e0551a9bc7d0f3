"""What may be registered as a redirect URI (OAuth 2.0 Security BCP, RFC 9700 §2.1; RFC 8252 §7).

Registered URIs are compared character by character, so nothing here normalises: a URI is accepted
unchanged, or refused. The one exception is a native application's port on loopback.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from applications.rules import ApplicationType

REDIRECT_URI_MAX_LENGTH = 500

_DEFAULT_PORTS = {"https": 443, "http": 80}

# RFC 3986's characters without the quotation marks, brackets and backslash that browsers and
# parsers read differently; "[" and "]" stand around IPv6 addresses.
_URI = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()+,;=%#*-]+")
# RFC 8252 §7.1: a private-use scheme is a reversed domain name.
_PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=[/?]|\Z)")


def is_registered(uri: str, registered: Iterable[str], application_type: str) -> bool:
    """Tell whether a response may go to this URI.

    A native application can't know its port before it listens, so on loopback every port matches
    (RFC 8252 §7.3, RFC 9700 §4.1.3).
    """
    known = set(registered)
    if application_type != ApplicationType.NATIVE:
        return uri in known
    return _without_port(uri) in {_without_port(other) for other in known}


def validate_redirect_uri(uri: str, application_type: str) -> None:
    """Accept an absolute https URI, http on loopback, and for ``native`` a private-use scheme.

    Raises:
        ValidationError: another scheme, or a fragment, user information, a wildcard, or a
            character that must be escaped.

    """
    if len(uri) > REDIRECT_URI_MAX_LENGTH or not _URI.fullmatch(uri):
        raise ValidationError(
            _("Use at most 500 characters, with spaces and special ones percent-encoded.")
        )
    if "*" in uri:
        raise ValidationError(_("Wildcards don't work: register each URI in full."))
    if "#" in uri:
        raise ValidationError(_("A redirect URI has no fragment (#)."))
    parts = _split(uri)
    if "@" in parts.netloc:
        raise ValidationError(_("A redirect URI names no user (@)."))
    if parts.scheme in {"http", "https"}:
        _validate_web(parts)
    elif application_type == ApplicationType.NATIVE and _PRIVATE_USE_SCHEME.fullmatch(parts.scheme):
        _validate_private_use(parts)
    else:
        raise ValidationError(_wanted(application_type))


def validate_logout_uri(uri: str) -> None:
    """Accept a URI that this server may call: https, or http on loopback, without a fragment.

    Raises:
        ValidationError: another scheme, or anything else that a redirect URI mustn't have.

    """
    validate_redirect_uri(uri, ApplicationType.WEB)


def origin_of(uri: str) -> str:
    """Return the web origin of a registered URI as browsers send it, empty for other schemes.

    Source: https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
    """
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _without_port(uri: str) -> str:
    return _LOOPBACK.sub(r"\1", uri, count=1) if _LOOPBACK.match(uri) else uri


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _port = parts.port  # reading it is what checks it
    except ValueError:
        raise ValidationError(_("This isn't a URI: look at the host and the port.")) from None
    return parts


def _validate_web(parts: SplitResult) -> None:
    if not parts.hostname or "[" in parts.path + parts.query or "]" in parts.path + parts.query:
        raise ValidationError(
            _("Write the URI in full, such as https://shop.example.com/callback.")
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValidationError(_("Use https; http is for localhost, 127.0.0.1 and [::1] only."))


def _validate_private_use(parts: SplitResult) -> None:
    if not parts.netloc and not parts.path.startswith("/"):
        raise ValidationError(_("A slash follows the scheme, as in com.example.app:/callback."))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wanted(application_type: str) -> str:
    if application_type == ApplicationType.NATIVE:
        return _(
            "Use https, http on loopback, or a scheme of your own domain such as "
            "com.example.app:/callback."
        )
    return _("Use an absolute https URI, such as https://shop.example.com/callback.")

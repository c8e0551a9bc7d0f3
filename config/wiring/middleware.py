"""Middleware of every request."""

import ipaddress
import logging
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.utils import translation
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.kernel import logs
from config.kernel.database import unapplied_migrations
from config.kernel.errors import InvalidRequest
from config.wiring.api import error_body, error_headers

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# A client's own id is used if it can do no harm in a log line.
_ACCEPTABLE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Some proxies append the port to the address: 192.0.2.1:5555, [2001:db8::1]:5555.
_WITH_PORT = re.compile(r"^(?:([0-9.]+):[0-9]+|\[([0-9a-fA-F:.]+)\](?::[0-9]+)?)$")
_PROBE = "readyz"
_PROBE_SECONDS = 10


class RequestIdMiddleware:
    """Give each request an id: ``X-Request-ID`` of the request, or a new one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if _ACCEPTABLE_REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        # Stays set after the response: Django logs refusals only then, and the thread's next
        # request sets its own.
        logs.request_id.set(name)
        response = self.get_response(request)
        response["X-Request-ID"] = name
        return response


class ProbeMiddleware:
    """Answers ``/healthz`` and ``/readyz`` before anything else.

    Orchestrators use the IP address, so ``ALLOWED_HOSTS`` and the redirect to https don't apply.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._probes = {"/healthz": self._healthz, "/readyz": self._readyz}
        self._migrated = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self._probes.get(request.path_info)
        return probe(request) if probe else self.get_response(request)

    @method_decorator([never_cache, require_safe])
    def _healthz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 while the process can answer at all."""
        return JsonResponse({"status": "alive"})

    @method_decorator([never_cache, require_safe])
    def _readyz(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 if all checks pass, else 503 and the checks that failed."""
        checks = {
            "database": _works(_ask_database),
            "cache": _works(_ask_cache),
            "migrations": _works(self._ask_migrations),
        }
        ready = all(checks.values())
        return JsonResponse(
            {"status": "ready" if ready else "not ready", "checks": checks},
            status=200 if ready else 503,
        )

    def _ask_migrations(self) -> bool:
        # Applied migrations stay applied while the process runs, and checking is slow.
        self._migrated = self._migrated or not unapplied_migrations()
        return self._migrated


class TrustedProxyMiddleware:
    """Trust forwarding headers only from ``TRUSTED_PROXIES``; REMOTE_ADDR becomes the client's.

    Of ``X-Forwarded-For`` the rightmost address that isn't a trusted proxy's is used: the client
    may have written everything to its left.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        if _is_trusted(peer):
            request.META["REMOTE_ADDR"] = _caller(request.META.get("HTTP_X_FORWARDED_FOR"), peer)
        else:
            for header in ("FOR", "PROTO", "HOST", "PORT"):
                request.META.pop(f"HTTP_X_FORWARDED_{header}", None)
        return self.get_response(request)


class HostMiddleware:
    """Refuse a request for another host with an error of ours, instead of Django's page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            logger.warning("A request for a host that is not in ALLOWED_HOSTS was refused.")
            return _refused(_FOREIGN_HOST)
        return self.get_response(request)


_FOREIGN_HOST = InvalidRequest("This server isn't known by this name. Look at the Host header.")
_UNANNOUNCED = InvalidRequest(
    "Send the body with Content-Length, not in chunks.", status=HTTPStatus.LENGTH_REQUIRED
)


_TOO_LARGE = InvalidRequest("The body is too large.", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


class BodyLengthMiddleware:
    """Refuse a body without a length, which WSGI passes on empty (RFC 9110 §15.5.12).

    Refuse one that is too large as well: Django's limit excludes files, which it writes to the
    disk before a view is called.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or ""
        if request.META.get("HTTP_TRANSFER_ENCODING") and not announced:
            return _refused(_UNANNOUNCED)
        if announced.isdecimal() and int(announced) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _refused(_TOO_LARGE)
        return self.get_response(request)


# What the middleware of pages would set. Nothing here is to be shown by a browser.
_FOR_PROGRAMS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}


class ProgramsMiddleware:
    """Calls the view of a request that no person's browser made (``PROGRAMS_REGEX``).

    The middleware after this one is for pages: cookies, sessions, language, CSRF, the console.
    Programs have none of these: they authenticate with each request, and errors are in English.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_programs = re.compile(settings.PROGRAMS_REGEX).match
        # An exception becomes an answer here, so that it gets the headers as well.
        self._answer = convert_exception_to_response(_call_view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._is_programs(request.path_info):
            return self.get_response(request)
        # The thread's previous request may have been a page in another language.
        translation.activate(settings.LANGUAGE_CODE)
        response = cast(HttpResponse, self._answer(request))
        for name, value in _FOR_PROGRAMS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _refused(error: InvalidRequest) -> JsonResponse:
    headers = error_headers(error) | _FOR_PROGRAMS
    return JsonResponse(error_body(error), status=error.status, headers=headers)


def _is_trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A socket for both families gives IPv4 peers as ::ffff:10.0.0.1.
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return any((mapped or parsed) in network for network in settings.TRUSTED_PROXIES)


def _caller(forwarded_for: str | None, peer: str) -> str:
    for hop in reversed((forwarded_for or "").split(",")):
        address = _WITH_PORT.sub(r"\1\2", hop.strip())
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return peer
        if not _is_trusted(address):
            return address
        peer = address
    return peer


def _works(ask: Callable[[], bool]) -> bool:
    # A probe reports every failure; nothing else catches this broadly.
    try:
        return ask()
    except Exception:
        logger.exception("A readiness check failed.")
        return False


def _ask_database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _ask_cache() -> bool:
    cache.set(_PROBE, 1, _PROBE_SECONDS)
    return bool(cache.get(_PROBE) == 1)


def _call_view(request: HttpRequest) -> HttpResponse:
    match = resolve(request.path_info)
    request.resolver_match = match
    response: Any = match.func(request, *match.args, **match.kwargs)
    if hasattr(response, "render"):
        response = response.render()
    answer: HttpResponse = response
    return answer

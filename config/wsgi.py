"""The WSGI application that ``make run`` and ``make serve`` serve."""

import os
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# The variables of a request by PEP 3333; containers set some of these names themselves.
REQUESTS_OWN = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "PATH_INFO",
        "QUERY_STRING",
        "REMOTE_ADDR",
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
    }
)

# RFC 2046 §5.1.1; Django accepts no other characters either.
_BOUNDARY = re.compile(r';\s*boundary=("[ !#-~]+"|[!#-:<-~]+)', re.IGNORECASE)


def environment() -> list[tuple[str, str]]:
    """Return the variables that must not reach a request."""
    return [(name, value) for name, value in os.environ.items() if name not in REQUESTS_OWN]


# The server copies the environment that it was started with; `os.environ` would decode it anew for
# each request.
ENVIRONMENT = environment()

_django = get_wsgi_application()

from accounts.backchannel.delivery_thread import DeliveryThread  # noqa: E402 - models load once Django is set up

if settings.LOGOUT_COURIER:
    DeliveryThread().start()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve a request without the process's environment variables and without a charset.

    The server copies the environment into each request, and with it the secrets: error pages and
    reports would print them. Django would decode query and form by the charset, and fail before
    any middleware if Python has no such text encoding; only UTF-8 is accepted (RFC 6749, appendix
    B).
    """
    for name, value in ENVIRONMENT:
        if environ.get(name) == value:
            del environ[name]
    environ["CONTENT_TYPE"] = _kind_of_body(environ.get("CONTENT_TYPE", ""))
    return _django(environ, start_response)


def _kind_of_body(content_type: str) -> str:
    """Return the media type of a Content-Type, and the boundary of a form's parts."""
    media_type = content_type.partition(";")[0]
    boundary = _BOUNDARY.search(content_type)
    return f"{media_type}{boundary[0]}" if boundary else media_type

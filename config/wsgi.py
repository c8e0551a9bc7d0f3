"""The WSGI application that ``make run`` and ``make serve`` serve."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# What PEP 3333 promises of a request; containers set some of these names for themselves.
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

_django = get_wsgi_application()

from accounts.backchannel.courier import Courier  # noqa: E402 - models load once Django is set up

if settings.LOGOUT_COURIER:
    Courier().start()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Serve a request without the process's own environment.

    The server copies that into each request, and with it the secrets: error pages and reports
    would print them.
    """
    for name, value in os.environ.items():
        if name not in REQUESTS_OWN and environ.get(name) == value:
            del environ[name]
    return _django(environ, start_response)

"""The WSGI application that ``make run`` and ``make serve`` serve."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Serve a request without the process's own environment.

    The server copies that into each request, and with it the secrets: error pages and reports
    would print them.
    """
    for name, value in os.environ.items():
        if environ.get(name) == value:
            del environ[name]
    return _django(environ, start_response)

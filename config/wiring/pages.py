"""The welcome page at ``/``, and the page that stands where another one failed."""

import sys
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.defaults import server_error

from config.kernel.database import AWAY
from config.kernel.errors import ServiceUnavailable


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """Say what this is and what to do next; nothing here tells a stranger of any pool."""
    return render(request, "pages/welcome.html", {"has_sandbox": settings.WECHAT_SANDBOX})


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database or the cache is away, else 500; Django calls this handler."""
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)
    response = server_error(request, template_name="503.html")
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response["Retry-After"] = str(ServiceUnavailable.retry_after)
    return response

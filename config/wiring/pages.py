"""The welcome page at ``/``, and the error page."""

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
    """Show what this is and what to do next, without naming any pool."""
    return render(request, "pages/welcome.html", {"has_sandbox": settings.WECHAT_SANDBOX})


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database or the cache can't be reached, else 500; Django calls this."""
    if not isinstance(sys.exc_info()[1], AWAY):
        return server_error(request)
    response = server_error(request, template_name="503.html")
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response["Retry-After"] = str(ServiceUnavailable.retry_after)
    return response

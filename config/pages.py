"""The welcome page at ``/``, and where ``/console`` leads."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    """Say what this is and what to do next; nothing here tells a stranger of any pool."""
    return render(request, "pages/welcome.html", {"has_sandbox": settings.WECHAT_SANDBOX})

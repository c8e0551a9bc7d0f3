"""Requests of programs pass only the middleware that protects them."""

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import translation

from config.wiring.middleware import GetResponse

# What the middleware of pages would set. Nothing here is to be shown by a browser.
_HEADERS = {
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

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self._is_programs(request.path_info):
            return self.get_response(request)
        # The thread's previous request may have been a page in another language.
        translation.activate(settings.LANGUAGE_CODE)
        response = _answer(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    match = resolve(request.path_info)
    request.resolver_match = match
    response: Any = match.func(request, *match.args, **match.kwargs)
    if hasattr(response, "render"):
        response = response.render()
    answer: HttpResponse = response
    return answer

"""Mounts the console at ``/console/{pool}/``, so that every link in it stays in the pool.

Django's admin has no pools in its URLs. As a web server mounts an application below a prefix, this
middleware mounts the console's pages below each pool, with one urlconf for all of them.
"""

import re
from collections.abc import Callable

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import get_script_prefix, set_script_prefix
from django.utils.cache import add_never_cache_headers

from config.kernel.identifiers import is_identifier
from userpools.console.place import ConsoleRequest, find_place
from userpools.models import RESERVED_POOL_IDENTIFIERS

_CONSOLE = re.compile(r"^/console/(?:(?P<word>[^/]+)(?:/|$))?")


class ConsoleMiddleware:
    """Sets the pool of each request to the console, and the console's content security policy.

    Comes after the authentication middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._get_page = csp_replace(settings.CONSOLE_CONTENT_SECURITY_POLICY)(get_response)

    def __call__(self, request: ConsoleRequest) -> HttpResponseBase:
        found = _CONSOLE.match(request.path_info)
        if found is None:
            return self.get_response(request)
        word = found["word"]
        named = word if word and _may_be_pool(word) else None
        mounted_at = found[0] if named else "/console/"
        if not mounted_at.endswith("/"):
            return HttpResponseRedirect(f"{request.path}/")
        request.place = find_place(request.user, named)
        request.urlconf = settings.CONSOLE_URLCONF
        request.path_info = "/" + request.path_info.removeprefix(mounted_at)
        prefix = get_script_prefix()
        set_script_prefix(prefix.rstrip("/") + mounted_at)
        try:
            response = self._get_page(request)
        finally:
            set_script_prefix(prefix)
        # Django's admin does so for its pages, but not for refusals, which depend on the role.
        add_never_cache_headers(response)
        return response


def _may_be_pool(word: str) -> bool:
    return is_identifier(word) and word not in RESERVED_POOL_IDENTIFIERS

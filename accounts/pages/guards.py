"""A decorator for all login pages: it finds the pool and turns exceptions into pages."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.oidc.authorization.checking import Refused, Unanswerable
from accounts.pages.next_page import send_refusal
from accounts.pages.pending_request import Gone
from accounts.pages.responses import notice_page
from config.kernel.errors import TooManyRequests
from userpools.models import UserPool
from userpools.pools import find_pool

View = Callable[..., HttpResponse]


def login_page(*methods: str) -> Callable[[View], View]:
    """Decorate a view so that it gets the pool, and its exceptions become pages."""

    def guarded(view: View) -> View:
        @never_cache
        @require_http_methods([*methods])
        @wraps(view)
        def page(request: HttpRequest, pool: str, **arguments: str) -> HttpResponse:
            found = find_pool(pool)
            try:
                return view(request, found, **arguments)
            except (Gone, Refused, Unanswerable) as error:
                return _error_response(request, error, found)
            except TooManyRequests as error:
                return _wait(request, found, error)

        return page

    return guarded


def _error_response(
    request: HttpRequest, error: Gone | Refused | Unanswerable, pool: UserPool
) -> HttpResponse:
    """Return the error page, or the error answer to the application, for an exception."""
    if isinstance(error, Refused):
        return send_refusal(request, error)
    return notice_page(
        request, error.reason if isinstance(error, Unanswerable) else "gone", pool=pool
    )


def _wait(request: HttpRequest, pool: UserPool, error: TooManyRequests) -> HttpResponse:
    response = notice_page(
        request, "too_many_requests", pool=pool, status=HTTPStatus.TOO_MANY_REQUESTS
    )
    response["Retry-After"] = str(error.retry_after)
    return response

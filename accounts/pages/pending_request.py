"""The stored authorization request of a page: found only from its browser, and checked again."""

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuthorizationRequest
from accounts.oidc.authorization.checking import CheckedRequest, check_request
from accounts.oidc.authorization.pending import find_request, handle_of
from accounts.pages.cookies import browser_secret
from accounts.pages.responses import activate_language
from userpools.models import UserPool


class Gone(Exception):
    """The request was deleted or answered, or was begun in another browser."""


def address_of(pending: AuthorizationRequest, page: str = "") -> str:
    """Return the address of a page of a pending request.

    Raises:
        Gone: the key that the handle was made with was removed meanwhile.

    """
    handle = handle_of(pending)
    if handle is None:
        raise Gone
    return f"/login/{pending.pool.identifier}/{handle}{page}"


def pending_request(request: HttpRequest, pool: UserPool, handle: str) -> AuthorizationRequest:
    """Return the request of this page.

    Raises:
        Gone: this browser has no such open request.

    """
    pending = find_request(
        pool, handle, browser_secret=browser_secret(request, pool), now=timezone.now()
    )
    if pending is None:
        raise Gone
    activate_language(request, tuple(pending.parameters.get("ui_locales", "").split()))
    return pending


def check_again(pending: AuthorizationRequest) -> CheckedRequest:
    """Check the request again: the application may have changed since it was stored.

    Raises:
        Unanswerable, Refused: the request isn't valid any more.

    """
    return check_request(pending.pool, pending.parameters)

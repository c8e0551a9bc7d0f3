"""The kept request that a page is about: found for its own browser alone, and read again."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import AuthorizationRequest
from accounts.oidc.authorization.asking import Asked, read_request
from accounts.oidc.authorization.keeping import find_request
from accounts.pages.cookies import browser_secret
from accounts.pages.responses import speak
from userpools.models import UserPool


class Gone(Exception):
    """The request isn't there any more, was answered, or was begun in another browser."""


def address_of(pool: UserPool, handle: str, page: str = "") -> str:
    """Return the address of a kept request's page."""
    return f"/login/{pool.identifier}/{handle}{page}"


def kept_request(request: HttpRequest, pool: UserPool, handle: str) -> AuthorizationRequest:
    """Return the request that this page is about.

    Raises:
        Gone: this browser has no such request open.

    """
    kept = find_request(
        pool, handle, browser_secret=browser_secret(request, pool), now=timezone.now()
    )
    if kept is None:
        raise Gone
    speak(request, tuple(kept.parameters.get("ui_locales", "").split()))
    return kept


def asked_by(kept: AuthorizationRequest, *, now: datetime) -> Asked:
    """Read the request again: what it rests on may have changed since it was kept.

    Raises:
        Unanswerable, Refused: as they say.

    """
    return read_request(kept.pool, kept.parameters, now=now)

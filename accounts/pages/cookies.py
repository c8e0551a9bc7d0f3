"""The cookies of a person's browser: for each pool a secret of the browser and one of the login.

While the person chooses between accounts, a third cookie holds the binding ticket.

The values are random, and the database has their hashes. All are HttpOnly and for this host only
(``__Host-``, RFC 6265bis §4.1.3.2), and are separate from the operators' cookies.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from userpools.models import UserPool


def browser_secret(request: HttpRequest, pool: UserPool) -> str:
    """Return the secret that ties requests to this browser; empty if it has none yet."""
    return request.COOKIES.get(_name(pool, "browser"), "")


def keep_browser_secret(response: HttpResponse, pool: UserPool, secret: str) -> None:
    """Store the browser's secret in a cookie until the browser is closed."""
    _set(response, _name(pool, "browser"), secret)


def login_secret(request: HttpRequest, pool: UserPool) -> str:
    """Return the secret of the browser session in this browser; empty if there is none."""
    return request.COOKIES.get(_name(pool, "login"), "")


def keep_login_secret(response: HttpResponse, pool: UserPool, secret: str) -> None:
    """Store the secret of the browser session in a cookie until the browser is closed."""
    _set(response, _name(pool, "login"), secret)


def binding_ticket(request: HttpRequest, pool: UserPool) -> str:
    """Return the binding ticket of a person who has to choose; empty if there is none."""
    return request.COOKIES.get(_name(pool, "ticket"), "")


def keep_binding_ticket(response: HttpResponse, pool: UserPool, ticket: str) -> None:
    """Store a binding ticket in a cookie; it is never part of an address."""
    _set(response, _name(pool, "ticket"), ticket)


def forget_binding_ticket(response: HttpResponse, pool: UserPool) -> None:
    """Delete the cookie with the binding ticket."""
    response.delete_cookie(_name(pool, "ticket"), samesite="Lax")


def forget_login(response: HttpResponse, pool: UserPool) -> None:
    """Delete the cookie with the secret of the browser session."""
    response.delete_cookie(_name(pool, "login"), samesite="Lax")


def _name(pool: UserPool, purpose: str) -> str:
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}unionpass_{purpose}_{pool.identifier}"


def _set(response: HttpResponse, name: str, value: str) -> None:
    # Lax: WeChat and applications redirect browsers here, and the cookies must be sent then.
    response.set_cookie(
        name, value, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )

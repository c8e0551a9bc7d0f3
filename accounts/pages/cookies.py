"""What a person's browser holds: for each pool a secret of the browser's and one of the login.

Somebody who is to choose between accounts has a third for these minutes, the binding ticket.

Random values, of which the database has the hash. Both are HttpOnly and of this host alone
(``__Host-``, RFC 6265bis §4.1.3.2), and are apart from the operators'.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from userpools.models import UserPool


def browser_secret(request: HttpRequest, pool: UserPool) -> str:
    """Return the secret that ties requests to this browser; empty if it has none yet."""
    return request.COOKIES.get(_name(pool, "browser"), "")


def keep_browser_secret(response: HttpResponse, pool: UserPool, secret: str) -> None:
    """Have the browser keep its secret until it is closed."""
    _set(response, _name(pool, "browser"), secret)


def login_secret(request: HttpRequest, pool: UserPool) -> str:
    """Return the secret of whoever is signed on in this browser; empty if nobody is."""
    return request.COOKIES.get(_name(pool, "login"), "")


def keep_login_secret(response: HttpResponse, pool: UserPool, secret: str) -> None:
    """Have the browser keep who is signed on, until it is closed or the session has run out."""
    _set(response, _name(pool, "login"), secret)


def binding_ticket(request: HttpRequest, pool: UserPool) -> str:
    """Return the ticket of a person who is to choose between accounts; empty if there is none."""
    return request.COOKIES.get(_name(pool, "ticket"), "")


def keep_binding_ticket(response: HttpResponse, pool: UserPool, ticket: str) -> None:
    """Have the browser keep a ticket, which is never in an address."""
    _set(response, _name(pool, "ticket"), ticket)


def forget_binding_ticket(response: HttpResponse, pool: UserPool) -> None:
    """Have the browser forget its ticket."""
    response.delete_cookie(_name(pool, "ticket"), samesite="Lax")


def forget_login(response: HttpResponse, pool: UserPool) -> None:
    """Have the browser forget who was signed on."""
    response.delete_cookie(_name(pool, "login"), samesite="Lax")


def _name(pool: UserPool, purpose: str) -> str:
    prefix = "__Host-" if settings.SESSION_COOKIE_SECURE else ""
    return f"{prefix}unionpass_{purpose}_{pool.identifier}"


def _set(response: HttpResponse, name: str, value: str) -> None:
    # Lax: WeChat and the applications send browsers here by links, and their cookies must come.
    response.set_cookie(
        name, value, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )

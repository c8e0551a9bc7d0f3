"""Who may open an experience page: an administrator of the pool, or the bearer of a shared link.

A shared link is signed, expires after a day, works only for sandbox sources and shows no tokens.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications.models import Application
from applications.rules import has_people
from config.kernel.database import one_or_none
from userpools.console.place import role_in
from userpools.models import Membership, Operator

View = Callable[..., HttpResponse]

LINK_LIVES = timedelta(days=1)
_SALT = "experience login"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A visitor of the page; ``operator`` is None for the bearer of a shared link."""

    application: Application
    operator: Operator | None
    session: str = field(repr=False)
    """names the operator's session or a guest's link; stored answers are repeated only within it"""
    share: str = field(default="", repr=False)
    """the signed value of a guest's link"""

    @property
    def is_guest(self) -> bool:
        return self.operator is None

    def address(self, page: str = "") -> str:
        """Return the address of a page of the application, with the share of a guest."""
        query = f"?{urlencode({'share': self.share})}" if self.is_guest else ""
        return f"/experience/{self.application.client_id}{page}{query}"


class NotSignedIn(Exception):
    """No operator is signed in and there is no shared link, so nothing is disclosed."""


def for_visitors(*methods: str) -> Callable[[View], View]:
    """Decorate a view of an experience page so that it gets the visitor; refuse others."""

    def guarded(view: View) -> View:
        @never_cache
        @require_http_methods([*methods])
        @wraps(view)
        def page(request: HttpRequest, client_id: str, **arguments: object) -> HttpResponse:
            try:
                visitor = admit(request, client_id)
            except NotSignedIn:
                # Don't return to the current address: it may contain a WeChat code.
                return redirect_to_login(reverse("experience", args=[client_id]))
            return view(request, visitor, **arguments)

        return page

    return guarded


def admit(request: HttpRequest, client_id: str) -> Visitor:
    """Return the visitor of an application's page.

    Raises:
        NotSignedIn: the visitor has to sign in first.
        Http404: no pool of the operator has such an application, people don't log in to it, or the
            link is invalid.
        PermissionDenied: the operator may only look.

    """
    shared = request.GET.get("share")
    operator = request.user if isinstance(request.user, Operator) else None
    if operator is None and shared is None:
        raise NotSignedIn
    application = _find(client_id)
    role = role_in(operator, application.pool) if operator and application else None
    if application and role == Membership.Role.ADMIN:
        session = _digest(request.session.session_key or "")
        return Visitor(application=application, operator=operator, session=session)
    if application and shared is not None and _is_shared(application, shared):
        session = _digest(shared)
        return Visitor(application=application, operator=None, session=session, share=shared)
    if application is None or role is None:
        raise Http404
    raise PermissionDenied


def share(application: Application) -> str:
    """Return the signed value for a shared link."""
    return signing.dumps(str(application.pk), salt=_SALT)


def _find(client_id: str) -> Application | None:
    # PostgreSQL refuses NUL even in a query.
    found = Application.objects.select_related("pool").filter(client_id=client_id)
    application = None if "\x00" in client_id else one_or_none(found)
    return application if application and has_people(application.type) else None


def _is_shared(application: Application, unverified_share: str) -> bool:
    try:
        shared = signing.loads(unverified_share, salt=_SALT, max_age=LINK_LIVES)
    except signing.BadSignature:
        return False
    return bool(shared == str(application.pk))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

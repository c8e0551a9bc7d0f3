"""Who may open an experience page: an administrator of the pool, or the bearer of a shared link.

A shared link is signed, ends after a day, works for sandbox sources alone and shows no tokens.
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
from userpools.console.place import role_in
from userpools.models import Membership, Operator

View = Callable[..., HttpResponse]

LINK_LIVES = timedelta(days=1)
_SALT = "experience login"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody on the page; ``operator`` is None for the bearer of a shared link."""

    application: Application
    operator: Operator | None
    session: str = field(repr=False)
    """names the operator's session, or the link of a guest: codes are of use within it alone"""
    share: str = field(default="", repr=False)
    """what a guest's link carries"""

    @property
    def is_guest(self) -> bool:
        return self.operator is None

    def address(self, page: str = "") -> str:
        """Return the address of one of the application's pages, at which a guest stays one."""
        query = f"?{urlencode({'share': self.share})}" if self.is_guest else ""
        return f"/experience/{self.application.client_id}{page}{query}"


class NotSignedIn(Exception):
    """Nobody is signed in and no link was shared: what there is here isn't told."""


def for_visitors(*methods: str) -> Callable[[View], View]:
    """Make a view of an experience page: it gets the visitor, others are turned away."""

    def guarded(view: View) -> View:
        @never_cache
        @require_http_methods([*methods])
        @wraps(view)
        def page(request: HttpRequest, client_id: str, **arguments: object) -> HttpResponse:
            try:
                visitor = admit(request, client_id)
            except NotSignedIn:
                # Not to this very address: it may hold a code of WeChat's.
                return redirect_to_login(reverse("experience", args=[client_id]))
            return view(request, visitor, **arguments)

        return page

    return guarded


def admit(request: HttpRequest, client_id: str) -> Visitor:
    """Return who is on the page, and of which application it is.

    Raises:
        NotSignedIn: the visitor has to sign in first.
        Http404: there is no such application in a pool of the operator's, nobody logs in to it, or
            the link is no good.
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
    """Return what a shared link carries, signed."""
    return signing.dumps(str(application.pk), salt=_SALT)


def _find(client_id: str) -> Application | None:
    # PostgreSQL doesn't take NUL even to look for it.
    found = Application.objects.select_related("pool").filter(client_id=client_id)
    application = None if "\x00" in client_id else found.first()
    return application if application and has_people(application.type) else None


def _is_shared(application: Application, unverified_share: str) -> bool:
    try:
        shared = signing.loads(unverified_share, salt=_SALT, max_age=LINK_LIVES)
    except signing.BadSignature:
        return False
    return bool(shared == str(application.pk))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

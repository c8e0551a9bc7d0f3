"""The console as a Django admin site: access, and the URLs of its pages."""

from collections.abc import Callable
from datetime import timedelta
from functools import update_wrapper
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from config.kernel.database import one_or_none
from userpools.console.place import operator_of, place_of, pools_of
from userpools.models import Operator, UserPool

View = Callable[..., HttpResponse]

LAST_POOL = "console_last_pool"


class ConsoleSite(UnfoldAdminSite):
    """Django's admin, with unfold's design, for the operators of pools."""

    index_title = _("Overview")
    # Unknown URLs are 404, signed in or not.
    final_catch_all_view = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Admit every active operator; their roles decide what they see."""
        return isinstance(request.user, Operator) and request.user.is_active

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # noqa: FBT001, FBT002  Django's signature
        """Guard a page: redirect to the sign-in page; 404 for a pool without a role."""
        guarded: View = super().admin_view(view, cacheable)

        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if place_of(request).is_hidden and self.has_permission(request):
                raise Http404
            return guarded(request, *args, **kwargs)

        return update_wrapper(page, guarded)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Set the session's expiry at the sign-in, independent of later writes to the session."""
        page: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and self.has_permission(request):
            request.session.set_expiry(
                timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
            )
        return page

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Count wrong passwords here as well: the form itself has no limit."""
        guess = request.POST.get("old_password", "")
        name = operator_of(request).get_username()
        is_right = request.method != "POST" or authenticate(request, username=name, password=guess)
        if not is_right and getattr(request, "axes_locked_out", False):
            # The middleware of axes replaces the response.
            return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS)
        page: HttpResponse = super().password_change(request, extra_context)
        return page

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the URLs: those of a model's pages begin with its admin's ``path``.

        Django's and unfold's aren't used, because they have pages without regard to pools: a search
        that caches its results for all operators, and a redirect to any row's own page.
        """
        guard = self.admin_view
        pages: list[URLPattern | URLResolver] = [
            path("", guard(self.index), name="index"),
            path("login/", self.login, name="login"),
            path("logout/", guard(self.logout), name="logout"),
            path("password/", guard(self.password_change), name="password_change"),
            path("password/done/", guard(self.password_change_done), name="password_change_done"),
            path("jsi18n/", guard(self.i18n_javascript, cacheable=True), name="jsi18n"),
        ]
        rows = [path(f"{admin.path}/", include(admin.urls)) for admin in self._registry.values()]
        return pages + rows

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the pool's overview; outside of pools redirect to the last or only one."""
        pool = place_of(request).pool
        if pool is None:
            return HttpResponseRedirect(_first_page(request))
        # Written only if it changes: each write would also extend the session.
        if request.session.get(LAST_POOL) != pool.identifier:
            request.session[LAST_POOL] = pool.identifier
        overview: HttpResponse = super().index(request, extra_context)
        return overview

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, type[Model]]]:
        """Return nothing: the sidebar is the list (config/wiring/console.py)."""
        return []


def console_url(pool: UserPool) -> str:
    """Return the URL of the pool's overview, for pages outside of any pool."""
    return f"/console/{pool.identifier}/"


def _first_page(request: HttpRequest) -> str:
    pools = pools_of(operator_of(request))
    last = one_or_none(pools.filter(identifier=request.session.get(LAST_POOL, "")))
    candidates = [last] if last else list(pools[:2])
    if len(candidates) == 1:
        return console_url(candidates[0])
    return reverse("admin:userpools_userpool_changelist")

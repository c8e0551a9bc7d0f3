"""The integration tab: what a developer copies into the application."""

from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from unfold.datasets import BaseDataset

from applications.models import Application
from applications.rules import ApplicationType, is_redirected
from config.kernel.database import one_or_none
from userpools.console.place import place_of

# The placeholder in a snippet until a redirect URI is registered.
_EXAMPLES: dict[str, str] = {
    ApplicationType.WEB: "https://shop.example.com/callback",
    ApplicationType.SPA: "https://shop.example.com/callback",
    ApplicationType.NATIVE: "http://127.0.0.1:9002/callback",
}
_INTRODUCTIONS: dict[str, Any] = {
    ApplicationType.MINI_PROGRAM: _(
        "Copy this into the mini program. It logs the person in and keeps the tokens."
    ),
    ApplicationType.WEB: _("Any OpenID Connect library works. With Authlib and Flask, in Python:"),
    ApplicationType.SPA: _("Any OpenID Connect library works. With openid-client, in the browser:"),
    ApplicationType.NATIVE: _("Any OpenID Connect library works. With openid-client, in Node.js:"),
    ApplicationType.MACHINE: _("The program fetches itself an access token:"),
}


class IntegrationTab(BaseDataset):
    """A tab next to the forms with the snippet, with the application's own values."""

    tab = True
    # unfold uses it to find the rows of a posted action; there are no rows and no actions here.
    id = None
    title = _("Integration")
    model: ClassVar[type[Model]] = Application

    def __init__(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> None:
        """Keep the request and which application it is; unfold would make a list of rows."""
        self.request = request
        self.application_id = str((extra_context or {})["object"])

    @property
    def contents(self) -> str:
        """The tab as HTML."""
        pool = place_of(self.request).require_pool()
        application = one_or_none(Application.objects.filter(pool=pool, pk=self.application_id))
        if application is None:
            return ""
        return render_to_string("console/integration.html", integration(application), self.request)


def integration(application: Application) -> dict[str, Any]:
    """Return the values of the snippets."""
    offered = application.login_methods.offered().select_related("identity_source")
    sources = [method.identity_source.identifier for method in offered.order_by("position", "pk")]
    issuer = application.pool.issuer
    return {
        "application": application,
        "snippet": f"console/snippets/{application.type}.html",
        "introduction": _INTRODUCTIONS[application.type],
        "issuer": issuer,
        "is_insecure": issuer.startswith("http://"),
        "endpoints": _endpoints(application),
        "redirect_uri": _redirect_uri(application),
        "public_url": settings.PUBLIC_URL,
        # Named in the snippet only if the application offers several sources.
        "identity_source": sources[0] if len(sources) > 1 else None,
    }


def _endpoints(application: Application) -> dict[str, str]:
    """Return the endpoints, by their names in discovery, for programs that don't use it."""
    if application.type == ApplicationType.MINI_PROGRAM:
        return {}
    names = {"token_endpoint": "token", "jwks_uri": "jwks.json"}
    if is_redirected(application.type):
        names = {"authorization_endpoint": "authorize", **names}
        names |= {"userinfo_endpoint": "userinfo", "end_session_endpoint": "logout"}
    if application.allows_device_flow:
        names["device_authorization_endpoint"] = "device_authorization"
    return {name: f"{application.pool.issuer}/{path}" for name, path in names.items()}


def _redirect_uri(application: Application) -> str:
    """Return the redirect URI that the snippet uses; a native application's listens at its own."""
    uris = [row.uri for row in application.redirect_uris.order_by("position", "pk")]
    if application.type == ApplicationType.NATIVE:
        uris = [uri for uri in uris if uri.startswith("http://")]
    return uris[0] if uris else _EXAMPLES.get(application.type, "")

"""The URL configuration of the server."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from accounts.oidc.views import DiscoveryView
from accounts.pages.urls import oidc_urlpatterns
from config.wiring.api import not_found
from config.wiring.pages import failed, welcome

handler500 = failed
# /console/ is not here: the middleware mounts it (userpools/console/middleware.py).
urlpatterns: list[URLPattern | URLResolver] = [
    path("", welcome, name="welcome"),
    path("console", RedirectView.as_view(url="/console/")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("experience/", include("accounts.experience.urls")),
    path("api/", include("accounts.api.urls")),
    path("login/", include("accounts.pages.urls")),
    # RFC 8414 §3.1: the well-known path comes before the issuer's path.
    path(".well-known/oauth-authorization-server/oidc/<slug:pool>", DiscoveryView.as_view()),
    path(".well-known/oauth-authorization-server/oidc/<slug:pool>/", DiscoveryView.as_view()),
    path("oidc/", include("accounts.oidc.urls")),
    path("oidc/", include(oidc_urlpatterns)),
    path("wechat/", include("accounts.wechat_events.urls")),
    re_path(r"^(api|oidc|wechat|\.well-known)/", not_found),
]
if settings.WECHAT_SANDBOX:
    urlpatterns.append(path("sandbox/", include("identity_sources.sandbox_views")))

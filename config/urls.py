"""Every address of the server."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from config.api import not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("accounts.api.urls")),
    path("oidc/", include("accounts.oidc.urls")),
    re_path(r"^(api|oidc)/", not_found),
]
if settings.WECHAT_SANDBOX:
    urlpatterns.append(path("sandbox/", include("identity_sources.sandbox_doors")))

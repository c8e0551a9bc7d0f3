"""Every address of the server."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("accounts.api.urls")),
    path("oidc/", include("accounts.oidc.urls")),
]
if settings.WECHAT_SANDBOX:
    urlpatterns.append(path("sandbox/", include("identity_sources.sandbox_doors")))

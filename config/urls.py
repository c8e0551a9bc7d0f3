"""Every address of the server."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/", include("accounts.api.urls")),
    path("oidc/", include("accounts.oidc.urls")),
]
if settings.WECHAT_SANDBOX:
    urlpatterns.append(path("sandbox/", include("identity_sources.sandbox_doors")))

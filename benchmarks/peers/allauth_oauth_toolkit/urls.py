"""The addresses of django-allauth and of django-oauth-toolkit."""

from django.urls import include, path
from probe import healthz

urlpatterns = [
    path("healthz", healthz),
    path("accounts/", include("allauth.urls")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]

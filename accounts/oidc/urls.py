"""Addresses below ``/oidc/``."""

from django.urls import path, re_path, register_converter

from accounts.oidc import views
from config.api import not_found
from userpools.paths import PoolIdentifierConverter

register_converter(PoolIdentifierConverter, "pool")

urlpatterns = [
    path("<pool:pool>/.well-known/openid-configuration", views.DiscoveryView.as_view()),
    path("<pool:pool>/jwks.json", views.JwksView.as_view(), name="oidc-jwks"),
    path("<pool:pool>/token", views.TokenView.as_view(), name="oidc-token"),
    path("<pool:pool>/userinfo", views.UserinfoView.as_view(), name="oidc-userinfo"),
    re_path(r"", not_found),
]

"""Addresses below ``/oidc/``."""

from django.urls import path

from accounts.oidc import views

urlpatterns = [
    path("<slug:pool>/.well-known/openid-configuration", views.DiscoveryView.as_view()),
    path("<slug:pool>/jwks.json", views.JwksView.as_view(), name="oidc-jwks"),
    path("<slug:pool>/token", views.TokenView.as_view(), name="oidc-token"),
    path("<slug:pool>/userinfo", views.UserinfoView.as_view(), name="oidc-userinfo"),
]

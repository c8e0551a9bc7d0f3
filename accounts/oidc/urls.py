"""Addresses below ``/oidc/`` for programs; those for a browser are in accounts/pages/urls.py."""

from django.urls import path

from accounts.oidc import client_views, views

urlpatterns = [
    path("<slug:pool>/.well-known/openid-configuration", views.DiscoveryView.as_view()),
    # Of a client whose issuer was typed with a slash at its end.
    path("<slug:pool>//.well-known/openid-configuration", views.DiscoveryView.as_view()),
    path("<slug:pool>/jwks.json", views.JwksView.as_view(), name="oidc-jwks"),
    path("<slug:pool>/par", client_views.PushedRequestView.as_view(), name="oidc-par"),
    path("<slug:pool>/token", client_views.TokenView.as_view(), name="oidc-token"),
    path("<slug:pool>/userinfo", views.UserinfoView.as_view(), name="oidc-userinfo"),
    path(
        "<slug:pool>/introspect", client_views.IntrospectionView.as_view(), name="oidc-introspect"
    ),
    path("<slug:pool>/revoke", client_views.RevocationView.as_view(), name="oidc-revoke"),
    path(
        "<slug:pool>/device_authorization",
        client_views.DeviceAuthorizationView.as_view(),
        name="oidc-device-authorization",
    ),
]

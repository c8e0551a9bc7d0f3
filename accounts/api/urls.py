"""Addresses below ``/api/``."""

from django.urls import path
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.api import me, views

# Set here, so that a caller's ?version= has no effect.
API_VERSION = "1"

urlpatterns = [
    path(
        "v1/login/wechat-mini-program",
        views.WeChatMiniProgramLoginView.as_view(),
        name="login-wechat-mini-program",
    ),
    path("v1/logout", views.LogoutView.as_view(), name="logout"),
    path("v1/login/bind", views.BindView.as_view(), name="login-bind"),
    path("v1/login/bind/email-code", views.EmailCodeView.as_view(), name="login-bind-email-code"),
    path("v1/me", me.MeView.as_view(), name="me"),
    path("v1/me/phone", me.PhoneView.as_view(), name="me-phone"),
    path("v1/me/linked-accounts", me.LinkedAccountsView.as_view(), name="me-linked-accounts"),
    path(
        "v1/me/linked-accounts/<uuid:identity_id>",
        me.LinkedAccountView.as_view(),
        name="me-linked-account",
    ),
    path(
        "schema",
        SpectacularAPIView.as_view(api_version=API_VERSION, renderer_classes=[OpenApiJsonRenderer]),
        name="schema",
    ),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"),
        name="api-docs",
    ),
]

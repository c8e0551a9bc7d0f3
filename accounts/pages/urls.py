"""Addresses that a browser opens: below ``/login/``, and two below ``/oidc/``."""

from django.urls import path

from accounts.pages import authorize, bind, consent, device, login, logout

urlpatterns = [
    path("<slug:pool>/device", device.enter_code, name="login-device"),
    path("<slug:pool>/logout", logout.confirm_log_out, name="login-logout"),
    path("<slug:pool>/callback/<slug:source>", login.callback, name="login-callback"),
    path("<slug:pool>/<str:handle>", login.show_login, name="login"),
    path("<slug:pool>/<str:handle>/cancel", login.cancel, name="login-cancel"),
    path("<slug:pool>/<str:handle>/bind", bind.bind, name="login-bind-page"),
    path("<slug:pool>/<str:handle>/consent", consent.consent, name="login-consent"),
    path("<slug:pool>/<str:handle>/device", device.confirm, name="login-device-confirm"),
    path("<slug:pool>/<str:handle>/wechat/<str:method>", login.to_wechat, name="login-wechat"),
]

oidc_urlpatterns = [
    path("<slug:pool>/authorize", authorize.authorize, name="oidc-authorize"),
    path("<slug:pool>/logout", logout.log_out, name="oidc-logout"),
]

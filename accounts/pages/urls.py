"""Addresses below ``/login/``."""

from django.urls import path

from accounts.pages import bind, consent, device, logout, sign_in

urlpatterns = [
    path("<slug:pool>/device", device.enter_code, name="login-device"),
    path("<slug:pool>/logout", logout.confirm_log_out, name="login-logout"),
    path("<slug:pool>/callback/<slug:source>", sign_in.callback, name="login-callback"),
    path("<slug:pool>/<str:handle>", sign_in.sign_in, name="login"),
    path("<slug:pool>/<str:handle>/cancel", sign_in.cancel, name="login-cancel"),
    path("<slug:pool>/<str:handle>/bind", bind.bind, name="login-bind-page"),
    path("<slug:pool>/<str:handle>/consent", consent.consent, name="login-consent"),
    path("<slug:pool>/<str:handle>/device", device.confirm, name="login-device-confirm"),
    path("<slug:pool>/<str:handle>/wechat/<str:method>", sign_in.to_wechat, name="login-wechat"),
]

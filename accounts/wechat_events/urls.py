"""Addresses below ``/wechat/``."""

from django.urls import path

from accounts.wechat_events import views

urlpatterns = [
    path(
        "<slug:pool>/<slug:source>/events",
        views.WeChatEventsView.as_view(),
        name="wechat-events",
    ),
]

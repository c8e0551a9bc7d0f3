"""Addresses below ``/experience/``."""

from django.urls import path

from accounts.experience.views import callback, experience, to_wechat

urlpatterns = [
    path("<str:client_id>", experience, name="experience"),
    path("<str:client_id>/callback", callback, name="experience-callback"),
    path("<str:client_id>/wechat/<uuid:method>", to_wechat, name="experience-wechat"),
]

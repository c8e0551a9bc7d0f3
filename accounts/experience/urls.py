"""Addresses below ``/experience/``."""

from django.urls import path

from accounts.experience.views import experience

urlpatterns = [path("<str:client_id>", experience, name="experience")]

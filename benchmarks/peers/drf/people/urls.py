"""The addresses."""

from django.urls import path
from probe import healthz

from people.views import LoginView

urlpatterns = [path("login", LoginView.as_view()), path("healthz", healthz)]

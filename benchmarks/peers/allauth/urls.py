"""django-allauth's addresses, and the one page that wants people to be logged in."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from probe import healthz


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Greet the person who is logged in."""
    return render(request, "profile.html")


urlpatterns = [
    path("healthz", healthz),
    path("profile", profile),
    path("accounts/", include("allauth.urls")),
]

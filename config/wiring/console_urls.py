"""The URLs below ``/console/`` and ``/console/{pool}/`` (userpools/console/middleware.py)."""

from django.contrib import admin
from django.urls import include, path

from config.wiring.pages import failed

handler500 = failed
urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]

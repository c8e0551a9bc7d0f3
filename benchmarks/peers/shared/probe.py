"""The page that tells that a peer serves."""

from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Say so."""
    return HttpResponse("ok")

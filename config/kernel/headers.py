"""Headers of several endpoints."""

from django.http import HttpResponse

NO_STORE = {"Cache-Control": "no-store"}


def allow_forms_to(response: HttpResponse, *schemes: str) -> None:
    """Allow the page's form to be redirected to other hosts, by these schemes.

    Chromium applies a page's policy to every redirect that follows its form: a login ends at an
    application, which may redirect again to another host.
    """
    # django-csp's method to change one response's policy; Django's types don't have it.
    response._csp_update = {"form-action": [f"{scheme}:" for scheme in schemes]}  # type: ignore[attr-defined]  # noqa: SLF001

"""Headers that several answers share."""

from django.http import HttpResponse

NO_STORE = {"Cache-Control": "no-store"}


def allow_forms_to(response: HttpResponse, *schemes: str) -> None:
    """Let the page's form lead to other hosts, by these schemes.

    Chromium asks a page's policy about every redirect that follows its form: the answer to a login
    ends at an application, which may redirect on to another host of its own.
    """
    # django-csp's own way to change one answer's policy; Django's types don't know of it.
    response._csp_update = {"form-action": [f"{scheme}:" for scheme in schemes]}  # type: ignore[attr-defined]  # noqa: SLF001

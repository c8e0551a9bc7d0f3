"""Sending an answer to the application, and pages that report an error or a result."""

from collections.abc import Container
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation

from accounts.oidc.authorization.answering import Answer
from accounts.oidc.authorization.checking import ResponseMode
from config.kernel.headers import allow_forms_to
from userpools.models import UserPool

WEB_SCHEMES = ("https", "http")


class RedirectToApplication(HttpResponseRedirect):
    """A redirect whose scheme may be an application's own (RFC 8252 §7.1).

    The location has been compared with the registered URIs before. Status 303 makes sure that
    posted fields aren't sent on to it (RFC 9700 §4.12).
    """

    status_code = HTTPStatus.SEE_OTHER

    def __init__(self, location: str) -> None:
        self.allowed_schemes = [*WEB_SCHEMES, urlsplit(location).scheme]
        super().__init__(location)


def send_answer(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Send the browser back to the application with the answer."""
    if answer.to.response_mode == ResponseMode.FORM_POST:
        response = render(
            request,
            "pages/form_post.html",
            {"action": answer.to.redirect_uri, "parameters": answer.parameters},
        )
        allow_form_to(response, answer.to.redirect_uri)
    else:
        response = RedirectToApplication(answer.location)
    # The code is in the address: the application's page must not pass it on as a referrer.
    response["Referrer-Policy"] = "no-referrer"
    return response


def allow_form_to(response: HttpResponse, uri: str) -> None:
    """Allow the page's form to be sent to the application's address, and redirects from there."""
    allow_forms_to(response, *dict.fromkeys([*WEB_SCHEMES, urlsplit(uri).scheme]))


def by_get(request: HttpRequest, fields: dict[str, str], names: Container[str]) -> HttpResponse:
    """Redirect a POST to a GET with the same fields, so that the browser sends its cookies.

    SameSite=Lax withholds cookies from forms of other sites, not from links (RFC 6265bis §5.2).
    """
    query = urlencode({name: value for name, value in fields.items() if name in names})
    return HttpResponseRedirect(f"{request.path}?{query}", status=HTTPStatus.SEE_OTHER)


def notice_page(
    request: HttpRequest,
    what: str,
    *,
    pool: UserPool,
    status: HTTPStatus = HTTPStatus.BAD_REQUEST,
) -> HttpResponse:
    """Return a page with one message, which ``what`` selects: an error or a result.

    It is used where there is no application to answer to and the person can't go on.
    """
    return render(request, "pages/notice.html", {"what": what, "pool": pool}, status=status)


def activate_language(request: HttpRequest, ui_locales: tuple[str, ...]) -> None:
    """Activate the first supported language of ``ui_locales`` (OIDC Core §3.1.2.1).

    A language that the person chose on one of our pages takes precedence.
    """
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return
    for locale in ui_locales:
        try:
            language = translation.get_supported_language_variant(locale.lower())
        except LookupError:
            continue
        translation.activate(language)
        return

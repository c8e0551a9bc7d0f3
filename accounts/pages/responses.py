"""How an answer travels to the application, and how a page of ours says that it can't go on."""

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

    Where it leads was compared with what is registered before. Nothing that was posted here goes
    there along (RFC 9700 §4.12).
    """

    status_code = HTTPStatus.SEE_OTHER

    def __init__(self, location: str) -> None:
        self.allowed_schemes = [*WEB_SCHEMES, urlsplit(location).scheme]
        super().__init__(location)


def send_answer(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Take the browser back to the application with its answer."""
    if answer.to.response_mode == ResponseMode.FORM_POST:
        response = render(
            request,
            "pages/form_post.html",
            {"action": answer.to.redirect_uri, "parameters": answer.parameters},
        )
        allow_form_to(response, answer.to.redirect_uri)
    else:
        response = RedirectToApplication(answer.location)
    # The code stands in the address: the application's own pages needn't tell it to others.
    response["Referrer-Policy"] = "no-referrer"
    return response


def allow_form_to(response: HttpResponse, uri: str) -> None:
    """Let the page's form lead to the application's address, and on from there."""
    allow_forms_to(response, *dict.fromkeys([*WEB_SCHEMES, urlsplit(uri).scheme]))


def by_get(request: HttpRequest, fields: dict[str, str], names: Container[str]) -> HttpResponse:
    """Have the browser come again, by GET: a form of another site's comes without its cookies.

    That is what SameSite does to forms, and not to links (RFC 6265bis §5.2).
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
    """Say one thing on a page of ours, by its word: what is wrong, or what was done.

    That is where there is no application to tell, and nothing left to do here.
    """
    return render(request, "pages/notice.html", {"what": what, "pool": pool}, status=status)


def activate_language(request: HttpRequest, ui_locales: tuple[str, ...]) -> None:
    """Use the first language that the application asks for and that there is (OIDC Core §3.1.2.1).

    What the person chose on a page of ours comes before it.
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

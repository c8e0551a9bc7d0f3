"""The sandbox at ``/sandbox/…``, only with ``WECHAT_SANDBOX``.

The emulated open.weixin.qq.com has a page at ``connect/qrconnect``; all others are endpoints that
control the sandbox.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path, re_path
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from config.kernel.headers import allow_forms_to
from identity_sources.gateway import sandbox
from identity_sources.sandbox.control import control
from identity_sources.sandbox.exceptions import BlockedError, InvalidFieldError
from identity_sources.sandbox.messages import SandboxRequest, first_values
from identity_sources.sandbox.qrconnect import PageError, QrConnectRequest, read_request
from identity_sources.sandbox.world import PEOPLE


@never_cache
@csrf_exempt
def door(request: HttpRequest) -> HttpResponse:
    """Serve one of the endpoints in identity_sources/sandbox/control.py."""
    origin = request.headers.get("Origin")
    if origin and origin != f"{request.scheme}://{request.get_host()}":
        return JsonResponse({"message": "The sandbox isn't for pages of other sites."}, status=403)
    answer = control(
        sandbox(),
        SandboxRequest(
            method=request.method or "GET",
            path=request.path_info,
            query={name: str(value) for name, value in request.GET.items()},
            body=request.body,
        ),
    )
    if answer is None:
        return JsonResponse({"message": "The sandbox has no such door."}, status=404)
    status, data = answer
    return JsonResponse(data, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def qrconnect(request: HttpRequest) -> HttpResponse:
    """Show the people who may scan the code; a POST confirms as one of them, or refuses.

    A confirmation redirects to the website with a code. After a refusal the page stays, as WeChat's
    does today, unless it should redirect with only the state, as WeChat's did formerly.
    """
    query = first_values(request.META["QUERY_STRING"])
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        wanted = read_request(query, registered_host=host)
    except PageError as error:
        return _page(request, query, {"error": error, "host": host}, status=400)
    page = {"wanted": wanted}
    answer = request.POST.get("refuse")
    if answer == "formerly":
        return HttpResponseRedirect(wanted.refused())
    if request.method != "POST" or answer:
        return _page(request, query, page | {"has_refused": bool(answer)})
    try:
        return HttpResponseRedirect(_confirmation(wanted, request.POST.get("person", "")))
    except BlockedError:
        return _page(request, query, page | {"is_blocked": True})
    except InvalidFieldError:
        return _page(request, query, page, status=400)


def _confirmation(wanted: QrConnectRequest, person: str) -> str:
    return wanted.confirmed(sandbox().qrconnect(wanted.app_id, person))


def _page(
    request: HttpRequest, query: dict[str, str], context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    # WeChat's page is in the language that the website requests, not the visitor's.
    language = "en" if query.get("lang") == "en" else "zh-hans"
    people = [
        {
            "key": person.key,
            "name": person.name if language == "en" else person.name_zh,
            "is_blocked": person.risk_blocked,
        }
        for person in PEOPLE.values()
    ]
    with translation.override(language):
        page = render(
            request, "sandbox/qrconnect.html", context | {"people": people}, status=status
        )
    page.headers["Content-Language"] = language
    allow_forms_to(page, "https", "http")
    return page


urlpatterns: list[URLPattern] = [
    path("connect/qrconnect", qrconnect, name="sandbox-qrconnect"),
    re_path(r"", door),
]

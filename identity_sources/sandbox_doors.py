"""The sandbox's control doors and its page, at ``/sandbox/…`` and only with ``WECHAT_SANDBOX``."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from identity_sources.gateway import sandbox
from identity_sources.sandbox.control import control
from identity_sources.sandbox.messages import SandboxRequest
from identity_sources.sandbox_pages import qrconnect


@never_cache
@csrf_exempt
def door(request: HttpRequest) -> HttpResponse:
    """Serve one of the doors that identity_sources/sandbox/control.py lists."""
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


urlpatterns: list[URLPattern] = [
    path("connect/qrconnect", qrconnect, name="sandbox-qrconnect"),
    re_path(r"", door),
]

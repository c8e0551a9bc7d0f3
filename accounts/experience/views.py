"""The experience page: the end user's phone on the left, the trace of the login on the right."""

from http import HTTPStatus
from uuid import UUID

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)

from accounts.experience.browser import come_back, method_behind, refusal_before_wechat, wechat_url
from accounts.experience.forms import ExperienceForm
from accounts.experience.mini_program import attempt_login
from accounts.experience.page import described, methods_of, offered, show
from accounts.experience.visitors import Visitor, for_visitors
from accounts.pages.sentences import sentence_for_person
from applications.models import LoginMethod
from applications.rules import is_redirected
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import PEOPLE
from identity_sources.wechat import shapes


@for_visitors("GET", "HEAD", "POST")
def experience(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the page; for a mini program a POST logs in and shows the trace."""
    if not is_redirected(visitor.application.type):
        return _mini_program(request, visitor)
    if request.method == "POST":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return show(request, visitor, methods_of(visitor))


@for_visitors("GET")
def to_wechat(request: HttpRequest, visitor: Visitor, method: UUID) -> HttpResponse:
    """Redirect the browser to WeChat, unless the login method can't be used now."""
    methods = _browser_methods(visitor)
    chosen = next((one for one in methods if one.pk == method), None)
    if chosen is None:
        raise Http404
    refused = refusal_before_wechat(visitor, chosen)
    if refused:
        return show(request, visitor, methods, attempt=refused)
    return HttpResponseRedirect(wechat_url(visitor, chosen))


@for_visitors("GET")
def callback(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Handle the redirect from WeChat: log the person in, and show the trace."""
    methods = _browser_methods(visitor)
    method = method_behind(request.GET.get("state", ""), visitor, methods)
    if method is None:
        return show(request, visitor, methods, is_astray=True, status=HTTPStatus.BAD_REQUEST)
    code = request.GET.get("code", "")
    if not shapes.is_code(code):
        problem = sentence_for_person("refused_in_wechat")
        return show(request, visitor, methods, problem=problem)
    attempt = come_back(visitor, method, code, address=request.META["REMOTE_ADDR"])
    return show(request, visitor, methods, attempt=attempt)


def _browser_methods(visitor: Visitor) -> list[LoginMethod]:
    if not is_redirected(visitor.application.type):
        raise Http404
    return methods_of(visitor)


def _mini_program(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    application, methods = visitor.application, methods_of(visitor)
    sources = [method.identity_source for method in offered(methods)]
    form = ExperienceForm(request.POST or None, sources=sources, application=application)
    attempt = None
    if request.method == "POST" and form.is_valid():
        attempt = attempt_login(
            application,
            form.rest_fields(),
            address=request.META["REMOTE_ADDR"],
            bound_to=visitor.session,
        )
    sandboxed = [source for source in sources if source.mode == IdentitySource.Mode.SANDBOX]
    return show(
        request,
        visitor,
        methods,
        attempt=attempt,
        form=form,
        sandbox_sources=sandboxed,
        live_sources=[source for source in sources if source not in sandboxed],
        people=[described(person) for person in PEOPLE.values()],
    )

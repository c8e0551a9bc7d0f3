"""The experience page: on the left the end user's phone, on the right what happens behind it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.experience.access import NotSignedIn, Visitor, admit, share
from accounts.experience.attempt import attempt_login
from accounts.experience.forms import ExperienceForm
from accounts.trace import Name
from accounts.words.narration import Line, narrate, narrate_unrecorded
from accounts.words.reasons import headline
from applications.rules import ApplicationType, Way
from identity_sources.gateway import is_reachable
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import PEOPLE, Person
from userpools.console.site import console_url


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def experience(request: HttpRequest, client_id: str) -> HttpResponse:
    """Show the page; a POST logs in and shows the trace."""
    try:
        visitor = admit(request, client_id)
    except NotSignedIn:
        return redirect_to_login(request.get_full_path())
    sources = _sources(visitor)
    if visitor.is_guest and not sources:
        raise Http404
    form = ExperienceForm(request.POST or None, sources=sources, application=visitor.application)
    context = _page(visitor, sources, form)
    if request.method == "POST" and form.is_valid():
        context |= _outcome(request, visitor, form)
    return render(request, "pages/experience.html", context)


def _page(visitor: Visitor, sources: list[IdentitySource], form: ExperienceForm) -> dict[str, Any]:
    application = visitor.application
    sandboxed = [source for source in sources if source.mode == IdentitySource.Mode.SANDBOX]
    return {
        "visitor": visitor,
        "application": application,
        "is_mini_program": application.type == ApplicationType.MINI_PROGRAM,
        "form": form,
        "sandbox_sources": sandboxed,
        "live_sources": [source for source in sources if source not in sandboxed],
        "people": [_described(person) for person in PEOPLE.values()],
        "console": console_url(application.pool),
        "share_link": _share_link(visitor, sandboxed),
    }


def _sources(visitor: Visitor) -> list[IdentitySource]:
    """Return what the application offers, whether it is switched on or not: that is a refusal."""
    methods = (
        visitor.application.login_methods.offered()
        .filter(way=Way.MINI_PROGRAM)
        .select_related("identity_source")
        .order_by("position", "pk")
    )
    sources = [method.identity_source for method in methods]
    if visitor.is_guest:
        return [
            source
            for source in sources
            if source.mode == IdentitySource.Mode.SANDBOX and is_reachable(source)
        ]
    return sources


def _outcome(request: HttpRequest, visitor: Visitor, form: ExperienceForm) -> dict[str, Any]:
    attempt = attempt_login(
        request, visitor.application, form.rest_fields(), bound_to=visitor.session
    )
    event = attempt.event
    lines = (
        narrate(event) if event else narrate_unrecorded(attempt.error, attempt.error_description)
    )
    return {
        "attempt": attempt,
        "event": event,
        "headline": headline(event) if event else lines[-1].sentence,
        "lines": _without_tokens(lines) if visitor.is_guest else lines,
        "person": _described(PEOPLE[form.cleaned_data["person"]])
        if form.cleaned_data["person"]
        else None,
    }


def _without_tokens(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.name != Name.ISSUED]


def _described(person: Person) -> dict[str, Any]:
    is_chinese = (get_language() or "").startswith("zh")
    return {
        "key": person.key,
        "name": person.name_zh if is_chinese else person.name,
        "has_phone": person.phone is not None,
        "is_blocked": person.risk_blocked,
    }


def _share_link(visitor: Visitor, sandboxed: list[IdentitySource]) -> str:
    if visitor.is_guest or not any(is_reachable(source) for source in sandboxed):
        return ""
    word = share(visitor.application)
    return f"{settings.PUBLIC_URL}/experience/{visitor.application.client_id}?share={word}"

"""The content of the experience page, for mini programs and for logins in a browser."""

from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from accounts.experience.visitors import Visitor, share
from accounts.login.by_browser import WAYS_OF_A_BROWSER
from accounts.login.trail import StepName
from accounts.models import LinkedAccount, LoginEvent
from accounts.pages.sentences import sentence_for_person
from accounts.words.explanations import REFUSALS_THAT_ASK
from accounts.words.narration import Line, narrate, narrate_unrecorded
from accounts.words.reasons import headline
from applications.models import LoginMethod
from applications.rules import Way, is_redirected
from config.kernel.errors import DomainError
from identity_sources.gateway import is_reachable
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import PEOPLE, Person, openid_of
from userpools.console.site import console_url


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The result of a login; ``event`` is None if it was refused before it was recorded."""

    event: LoginEvent | None
    succeeded: bool
    created: bool = False
    error: str = ""
    error_description: str = ""

    @classmethod
    def succeeded_with(cls, event: LoginEvent) -> Self:
        """Return the attempt that this event records."""
        created = event.decision == LoginEvent.Decision.CREATED
        return cls(event=event, succeeded=True, created=created)

    @classmethod
    def refused(cls, refusal: DomainError) -> Self:
        """Return the attempt that ended with this refusal."""
        return cls(
            event=refusal.event,
            succeeded=False,
            error=refusal.code,
            error_description=refusal.description,
        )

    @property
    def asks(self) -> bool:
        """Whether the login continues with a question to the person."""
        return self.error in REFUSALS_THAT_ASK


def methods_of(visitor: Visitor) -> list[LoginMethod]:
    """Return the application's login methods for this visitor, enabled or not.

    A guest gets only the enabled methods of sandbox sources.

    Raises:
        Http404: there is no method for a guest.

    """
    application = visitor.application
    ways = WAYS_OF_A_BROWSER if is_redirected(application.type) else (Way.MINI_PROGRAM,)
    methods = list(
        application.login_methods.filter(way__in=ways)
        .select_related("identity_source")
        .order_by("position", "pk")
    )
    if not visitor.is_guest:
        return methods
    shared = [method for method in offered(methods) if _is_sandboxed(method)]
    if not shared:
        raise Http404
    return shared


def offered(methods: list[LoginMethod]) -> list[LoginMethod]:
    """Return the enabled methods; a disabled source is refused only when it is used."""
    return [
        method for method in methods if method.enabled and not method.identity_source.archived_at
    ]


def show(
    request: HttpRequest,
    visitor: Visitor,
    methods: list[LoginMethod],
    *,
    attempt: Attempt | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Render the page, with the trace of an attempt beside the phone."""
    application = visitor.application
    context = {
        "visitor": visitor,
        "application": application,
        "is_redirected": is_redirected(application.type),
        "address": visitor.address(),
        "methods": [
            (method, visitor.address(f"/wechat/{method.pk}")) for method in offered(methods)
        ],
        "console": console_url(application.pool),
        "share_link": _share_link(visitor, offered(methods)),
    }
    outcome = _outcome(visitor, attempt) if attempt else {}
    return render(request, "pages/experience.html", context | outcome | more, status=status)


def described(person: Person) -> dict[str, Any]:
    """Return the facts that the page shows about a sandbox person."""
    is_chinese = (get_language() or "").startswith("zh")
    return {
        "key": person.key,
        "name": person.name_zh if is_chinese else person.name,
        "has_phone": person.phone is not None,
        "is_blocked": person.risk_blocked,
    }


def _outcome(visitor: Visitor, attempt: Attempt) -> dict[str, Any]:
    event = attempt.event
    if event:
        # As on the event's own page: PostgreSQL doesn't keep the order of an object's members.
        event.refresh_from_db(fields=["steps"])
    lines = (
        narrate(event) if event else narrate_unrecorded(attempt.error, attempt.error_description)
    )
    person = _sandbox_person(event) if event else None
    return {
        "attempt": attempt,
        "event": event,
        "headline": headline(event) if event else lines[-1].sentence,
        "lines": _without_tokens(lines) if visitor.is_guest else lines,
        "person": described(person) if person else None,
        "told": sentence_for_person(attempt.error) if attempt.error else "",
    }


def _sandbox_person(event: LoginEvent) -> Person | None:
    """Return the sandbox person who logged in; None for a real person."""
    source, user = event.identity_source, event.user
    if source is None or user is None or source.mode != IdentitySource.Mode.SANDBOX:
        return None
    accounts = LinkedAccount.objects.filter(pool=event.pool_id, user=user, app_id=source.app_id)
    openids = set(accounts.values_list("openid", flat=True))
    return next(
        (person for key, person in PEOPLE.items() if openid_of(source.app_id, key) in openids),
        None,
    )


def _without_tokens(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.name != StepName.ISSUED]


def _share_link(visitor: Visitor, methods: list[LoginMethod]) -> str:
    if visitor.is_guest or not any(_is_sandboxed(method) for method in methods):
        return ""
    signed = share(visitor.application)
    return f"{settings.PUBLIC_URL}/experience/{visitor.application.client_id}?share={signed}"


def _is_sandboxed(method: LoginMethod) -> bool:
    source = method.identity_source
    return source.mode == IdentitySource.Mode.SANDBOX and is_reachable(source)

"""Login events: a list for finding failures, and a page with the trace of each event."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.filters import OfPoolFilter, WhenFilter
from accounts.merging.review import conflict_of
from accounts.models import LoginEvent
from accounts.words.narration import narrate
from accounts.words.reasons import headline, reason_of
from userpools.console.display import ago
from userpools.console.model_admin import ShownModelAdmin


@admin.register(LoginEvent)
class LoginEventAdmin(ShownModelAdmin):
    """The pool's login events, newest first. Logins add them; they never change."""

    path = "events"
    template = "console/login_event.html"
    invitation = _("Nobody has logged in yet. Press “Experience login” on an application.")
    list_display = ("when", "coloured_outcome", "reason", "application", "door", "milliseconds")
    list_select_related = ("application", "user")
    list_filter = (
        "outcome",
        WhenFilter,
        ("application", OfPoolFilter),
        ("identity_source", OfPoolFilter),
        "door",
    )
    search_fields = ("=request_id", "=user__sub", "=wechat_rid", "=wechat_errcode", "=error")
    search_help_text = _("request_id, sub, errcode, rid or error")
    ordering = ("-occurred_at", "-pk")
    # Neither the list nor its pages count the rows, of which there may be millions.
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    @display(
        description=_("outcome"),
        label={LoginEvent.Outcome.SUCCEEDED: "success", LoginEvent.Outcome.REFUSED: "danger"},
    )
    def coloured_outcome(self, event: LoginEvent) -> tuple[str, str]:
        return event.outcome, event.get_outcome_display()

    @display(description=_("time"), ordering="occurred_at")
    def when(self, event: LoginEvent) -> str:
        return ago(event.occurred_at)

    @display(description=_("reason"))
    def reason(self, event: LoginEvent) -> str:
        return reason_of(event)

    @display(description=_("WeChat, ms"))
    def milliseconds(self, event: LoginEvent) -> int | None:
        return event.wechat_milliseconds

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoginEvent]:
        # Only the page of one event needs the steps.
        events: QuerySet[LoginEvent] = super().get_queryset(request)
        return events.defer("steps")

    def shown(self, request: HttpRequest, obj: LoginEvent) -> dict[str, Any]:
        """Show the trace, as the experience login does."""
        return {
            "title": _("Login event"),
            "event": obj,
            "headline": headline(obj),
            "lines": narrate(obj),
            "conflict": conflict_of(obj),
        }

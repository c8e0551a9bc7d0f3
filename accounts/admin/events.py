"""Attempts to log in: a list in which a failure is found, and the trace of each."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.filters import OfPoolFilter, WhenFilter
from accounts.merging.review import conflict_of
from accounts.models import LoginEvent
from accounts.words.narration import narrate
from accounts.words.reasons import headline, reason_of
from userpools.console.display import ago
from userpools.console.model_admin import PoolModelAdmin, ReadOnlyMixin


@admin.register(LoginEvent)
class LoginEventAdmin(ReadOnlyMixin, PoolModelAdmin):
    """The pool's login events, newest first. They are only ever added to, by logins."""

    path = "events"
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
    # Neither the list nor its pages count what may be millions of rows.
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
        # The steps are for the page of one event.
        events: QuerySet[LoginEvent] = super().get_queryset(request)
        return events.defer("steps")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the trace, as the experience login does."""
        event = self.get_object(request, object_id)
        if request.method == "POST":
            raise PermissionDenied
        if not isinstance(event, LoginEvent):
            raise TypeError(event)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Login event"),
            "opts": self.opts,
            "original": event,
            "event": event,
            "headline": headline(event),
            "lines": narrate(event),
            "conflict": conflict_of(event),
        }
        return TemplateResponse(request, "console/login_event.html", context)

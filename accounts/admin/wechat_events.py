"""The events that WeChat pushed, and what was done about each."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.filters import OfPoolFilter
from accounts.models import WeChatEvent
from userpools.console.display import ago
from userpools.console.model_admin import PoolModelAdmin, ReadOnlyMixin

_COLOURS = {
    WeChatEvent.Outcome.APPLIED: "success",
    WeChatEvent.Outcome.NOTHING_TO_DO: "info",
    WeChatEvent.Outcome.NOBODY: "info",
    WeChatEvent.Outcome.UNPROVEN: "warning",
    WeChatEvent.Outcome.UNKNOWN: "info",
}


@admin.register(WeChatEvent)
class WeChatEventAdmin(ReadOnlyMixin, PoolModelAdmin):
    """The WeChat events of the pool, newest first."""

    path = "wechat-events"
    invitation = _(
        "WeChat hasn't pushed an event yet. An identity source's page says what to enter in "
        "WeChat's console."
    )
    list_display = ("when", "event", "coloured_outcome", "identity_source", "person")
    list_select_related = ("identity_source", "user")
    list_filter = ("outcome", ("identity_source", OfPoolFilter))
    search_fields = ("=event", "=user__sub")
    search_help_text = _("event or sub")
    ordering = ("-received_at", "-pk")
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    fields = ("event", "outcome", "mode", "identity_source", "person", "told", "when")
    readonly_fields = fields

    @display(description=_("outcome"), label=_COLOURS)
    def coloured_outcome(self, event: WeChatEvent) -> tuple[str, str]:
        return event.outcome, event.get_outcome_display()

    @display(description=_("received"), ordering="received_at")
    def when(self, event: WeChatEvent) -> str:
        return ago(event.received_at)

    @display(description=_("user"), empty_value="-")
    def person(self, event: WeChatEvent) -> str | None:
        if event.user is None:
            return None
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:accounts_user_change", args=[event.user.pk]),
            event.user.display_name,
        )

    @display(description=_("what WeChat said"), empty_value="-")
    def told(self, event: WeChatEvent) -> str | None:
        facts: dict[str, Any] = event.facts
        return " · ".join(f"{name} {fact}" for name, fact in facts.items()) or None

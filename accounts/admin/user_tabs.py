"""The tabs of a user's page: WeChat, sessions, logins and history."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import AccountEvent, LinkedAccount, LoginEvent, Session
from accounts.words.account_history import author_of, facts_of
from accounts.words.reasons import reason_of
from userpools.console.display import ago
from userpools.console.model_admin import PoolTabularInline, ReadOnlyMixin


class LinkedAccountTab(ReadOnlyMixin, PoolTabularInline):
    """The WeChat identities, each with its OpenIDs and its UnionID.

    Its template shows ``identities`` from the page's context instead of the single rows.
    """

    model = LinkedAccount
    fields = ("kind",)
    readonly_fields = fields
    template = "console/linked_accounts.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LinkedAccount]:
        return LinkedAccount.objects.none()


class SessionTab(ReadOnlyMixin, PoolTabularInline):
    """The applications in which the person is, or was, logged in."""

    model = Session
    fields = ("application", "way", "auth_time", "ended_at", "end_reason")
    readonly_fields = fields
    ordering = ("-auth_time",)
    per_page = 20
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        return sessions.select_related("application")


class LoginEventTab(ReadOnlyMixin, PoolTabularInline):
    """The person's attempts to log in."""

    model = LoginEvent
    fields = ("when", "application", "outcome", "reason")
    readonly_fields = fields
    ordering = ("-occurred_at",)
    per_page = 20
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoginEvent]:
        events: QuerySet[LoginEvent] = super().get_queryset(request)
        return events.select_related("application").defer("steps")

    @display(description=_("time"))
    def when(self, event: LoginEvent) -> str:
        # With a hidden title, unfold also hides the link to the row.
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:accounts_loginevent_change", args=[event.pk]),
            ago(event.occurred_at),
        )

    @display(description=_("reason"))
    def reason(self, event: LoginEvent) -> str:
        return reason_of(event)


class HistoryTab(ReadOnlyMixin, PoolTabularInline):
    """What happened to the account besides logins."""

    model = AccountEvent
    verbose_name_plural = _("Account history")
    fields = ("when", "kind", "facts_in_words", "author")
    readonly_fields = fields
    ordering = ("-occurred_at", "-pk")
    per_page = 20
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountEvent]:
        events: QuerySet[AccountEvent] = super().get_queryset(request)
        return events.select_related("user", "operator", "application", "identity_source")

    @display(description=_("time"))
    def when(self, event: AccountEvent) -> str:
        return ago(event.occurred_at)

    @display(description=_("details"))
    def facts_in_words(self, event: AccountEvent) -> str:
        return facts_of(event)

    @display(description=_("by whom"))
    def author(self, event: AccountEvent) -> str:
        return author_of(event)

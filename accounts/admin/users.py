"""People: who they are, what ties them to WeChat, and where they are logged in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts.models import LinkedAccount, LoginEvent, Session, User
from accounts.narration import reason_of
from accounts.suspension import lift_suspension, suspend
from identity_sources.models import IdentitySource
from userpools.console.display import ago
from userpools.console.model_admin import PoolModelAdmin, PoolTabularInline, ReadOnlyMixin
from userpools.console.place import place_of

_STATUS_COLOURS = {
    User.Status.ACTIVE: "success",
    User.Status.SUSPENDED: "danger",
    User.Status.CLOSED: "warning",
}


class LinkedAccountInline(ReadOnlyMixin, PoolTabularInline):
    """The WeChat identity: its OpenIDs and its UnionID."""

    model = LinkedAccount
    fields = ("kind", "source", "value", "first_seen_at", "last_seen_at")
    readonly_fields = fields
    ordering = ("kind", "app_id")
    hide_title = True

    @display(description=_("identity source"))
    def source(self, account: LinkedAccount) -> str:
        if not account.app_id:
            return gettext("every app of the Open Platform account")
        sources = IdentitySource.objects.filter(pool=account.pool_id, app_id=account.app_id)
        names = sources.order_by("-created_at").values_list("display_name", flat=True)
        return " · ".join([*names[:1], account.app_id])

    @display(description=_("value"))
    def value(self, account: LinkedAccount) -> str:
        return account.openid or account.unionid


class SessionInline(ReadOnlyMixin, PoolTabularInline):
    """Where the person is, or was, logged in."""

    model = Session
    fields = ("application", "way", "auth_time", "ended_at", "end_reason")
    readonly_fields = fields
    ordering = ("-auth_time",)
    per_page = 20
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        sessions: QuerySet[Session] = super().get_queryset(request)
        return sessions.select_related("application")


class LoginEventInline(ReadOnlyMixin, PoolTabularInline):
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
        # Beside a hidden title unfold hides the link to the row, too.
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:accounts_loginevent_change", args=[event.pk]),
            ago(event.occurred_at),
        )

    @display(description=_("reason"))
    def reason(self, event: LoginEvent) -> str:
        return reason_of(event)


@admin.register(User)
class UserAdmin(PoolModelAdmin):
    """The pool's people. They come by logging in; nobody is added or deleted here."""

    path = "users"
    invitation = _("People become users by logging in. Press “Experience login” on an application.")
    list_display = ("person", "phone_number", "coloured_status", "since")
    list_filter = ("status",)
    search_fields = (
        "nickname",
        "phone_number",
        "=sub",
        "=linked_accounts__openid",
        "=linked_accounts__unionid",
    )
    search_help_text = _("Nickname, phone number, OpenID, UnionID or sub")
    ordering = ("-created_at",)
    show_full_result_count = False
    inlines = (LinkedAccountInline, SessionInline, LoginEventInline)
    change_form_outer_before_template = "console/user_panel.html"
    change_form_outer_after_template = "console/user_danger.html"
    fields = (
        "nickname",
        "status",
        "phone_number",
        "phone_number_verified_at",
        "sub",
        "created_at",
    )
    readonly_fields = fields

    @display(description=_("person"))
    def person(self, user: User) -> str:
        return user.nickname or user.sub

    @display(description=_("status"), label=_STATUS_COLOURS)
    def coloured_status(self, user: User) -> tuple[str, str]:
        return user.status, user.get_status_display()

    @display(description=_("user since"), ordering="created_at")
    def since(self, user: User) -> str:
        return ago(user.created_at)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Nothing about a person is typed in here; suspending has its own view and check.
        return False

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path(
                "<uuid:user_id>/suspend/",
                guard(self._status_view(suspend, _("Suspended; every session has ended."))),
                name="accounts_user_suspend",
            ),
            path(
                "<uuid:user_id>/lift-suspension/",
                guard(self._status_view(lift_suspension, _("The person can log in again."))),
                name="accounts_user_lift_suspension",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        user = kwargs.get("obj")
        if user:
            sessions: QuerySet[Session] = Session.objects.filter(pool=user.pool_id, user=user)
            context |= {
                "may_change": place_of(request).may_change,
                "running_sessions": sessions.filter(ended_at__isnull=True).count(),
            }
        return super().render_change_form(request, context, **kwargs)

    def _status_view(
        self, change: Callable[..., bool], sentence: Any
    ) -> Callable[[HttpRequest, UUID], HttpResponse]:
        @require_POST
        def view(request: HttpRequest, user_id: UUID) -> HttpResponse:
            user = self.get_object(request, str(user_id))
            if not isinstance(user, User) or not place_of(request).may_change:
                raise PermissionDenied
            now: datetime = timezone.now()
            if change(user, now=now):
                self.log_change(request, user, str(sentence))
                messages.success(request, sentence)
            else:
                messages.info(request, _("Nothing to do: somebody else was faster."))
            return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))

        return view

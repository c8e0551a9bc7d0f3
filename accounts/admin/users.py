"""Users: their data, their linked accounts, and where they are logged in."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.admin.merges import merge_urls, merges_of
from accounts.admin.user_actions import action_urls
from accounts.admin.user_form import NewUserForm, UserForm
from accounts.admin.user_tabs import HistoryTab, LinkedAccountTab, LoginEventTab, SessionTab
from accounts.models import Session, User, linked_identities
from accounts.users.editing import CAN_BE_CHANGED, ChangedMeanwhile, add_user, change_user
from userpools.console.display import ago
from userpools.console.model_admin import PoolModelAdmin
from userpools.console.place import place_of

_STATUS_COLOURS = {
    User.Status.ACTIVE: "success",
    User.Status.SUSPENDED: "danger",
    User.Status.CLOSED: "warning",
    User.Status.MERGED: "info",
}
_READ_ONLY = (
    "status",
    "phone_number",
    "phone_number_verified_at",
    "email_verified_at",
    "sub",
    "created_at",
)


@admin.register(User)
class UserAdmin(PoolModelAdmin):
    """The pool's users. A login makes them, or an operator adds them; they are never deleted."""

    path = "users"
    invitation = _("People become users by logging in. Press “Experience login” on an application.")
    form = UserForm
    list_display = ("person", "phone_number", "coloured_status", "since")
    list_filter = ("status",)
    search_fields = (
        "nickname",
        "phone_number",
        "=email",
        "=sub",
        "=linked_accounts__openid",
        "=linked_accounts__unionid",
    )
    search_help_text = _("Nickname, phone number, e-mail address, OpenID, UnionID or sub")
    ordering = ("-created_at",)
    show_full_result_count = False
    change_form_outer_before_template = "console/user_panel.html"
    change_form_outer_after_template = "console/user_danger.html"
    readonly_fields = _READ_ONLY
    too_late = {
        ChangedMeanwhile: _("Somebody else has changed this user meanwhile. Look and try again.")
    }
    add_fieldsets = ((None, {"fields": ("nickname", "email", "new_password")}),)

    @display(description=_("person"))
    def person(self, user: User) -> str:
        return user.display_name

    @display(description=_("status"), label=_STATUS_COLOURS)
    def coloured_status(self, user: User) -> tuple[str, str]:
        return user.status, user.get_status_display()

    @display(description=_("user since"), ordering="created_at")
    def since(self, user: User) -> str:
        return ago(user.created_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_open = obj is None or obj.status in CAN_BE_CHANGED
        return is_open and super().has_change_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        return [*action_urls(self), *merge_urls(self), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Leave merged users out, unless the list is filtered by status or searched for a sub."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        if not any(name.startswith("status") for name in request.GET):
            found = found.exclude(Q(status=User.Status.MERGED) & ~Q(sub=search_term.strip()))
        return found, has_duplicates

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> type[ModelForm]:
        kwargs |= {} if obj else {"form": NewUserForm}
        return super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        typed = ["nickname", "email"]
        if self.has_change_permission(request, obj):
            typed += ["new_password", *(["remove_password"] if obj.password else [])]
        return ((None, {"fields": (*typed, *_READ_ONLY)}),)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [LinkedAccountTab, SessionTab, LoginEventTab, HistoryTab] if obj else []

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        now = timezone.now()
        if change:
            change_user(obj, form.entered(), now=now)
        else:
            obj.pk = add_user(obj.pool, form.entered(), now=now).pk
            obj.refresh_from_db()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        user = kwargs.get("obj")
        if user:
            sessions: QuerySet[Session] = Session.objects.filter(pool=user.pool_id, user=user)
            merges = merges_of(user)
            context |= {
                "may_change": place_of(request).may_change,
                "can_be_changed": user.status in CAN_BE_CHANGED,
                "running_sessions": sessions.filter(ended_at__isnull=True).count(),
                "identities": linked_identities(user, with_sources=True),
                "merges": merges,
                "own_merge": next((one for one in merges if not one["is_survivor"]), None),
                "grace_days": settings.CLOSED_ACCOUNT_GRACE_DAYS,
                "erased_on": user.closed_at
                and user.closed_at + timedelta(days=settings.CLOSED_ACCOUNT_GRACE_DAYS),
            }
        return super().render_change_form(request, context, **kwargs)

"""The list and the pages of a pool's identity sources."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from identity_sources.admin.actions import restore_view, try_connection_view
from identity_sources.admin.forms import ChangeSourceForm, NewSourceForm
from identity_sources.admin.health import health_of
from identity_sources.admin.message_push import message_push_of, new_push_key_view
from identity_sources.gateway import is_reachable
from identity_sources.models import IdentitySource
from userpools.console.model_admin import PoolModelAdmin
from userpools.console.place import place_of

Type = IdentitySource.Type

# A card for each type, with WeChat's own name next to the translated one.
TYPE_CARDS = (
    (Type.WECHAT_MINI_PROGRAM, "小程序", "widgets", _("People log in inside your mini program.")),
    (Type.WECHAT_WEBSITE, "网站应用", "qr_code_2", _("People scan a code on your website.")),
    (
        Type.WECHAT_OFFICIAL_ACCOUNT,
        "公众号",
        "campaign",
        _("Pages that are opened inside WeChat, and followers."),
    ),
    (
        Type.WECHAT_MOBILE_APP,
        "移动应用",
        "phone_iphone",
        _("Your app asks WeChat on the same phone."),
    ),
)


class InUseFilter(admin.SimpleListFilter):
    """Shows the sources in use unless the archived ones are asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("archived", _("Archived"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the first choice: it isn't "all"."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": _("In use")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(archived_at__isnull=self.value() != "archived")


@admin.register(IdentitySource)
class IdentitySourceAdmin(PoolModelAdmin):
    """The pool's identity sources. Deleting one archives it."""

    path = "sources"
    invitation = _("An identity source is a WeChat app of yours that people come from.")
    form = ChangeSourceForm
    list_display = ("display_name", "type", "app_id", "state", "health")
    list_filter = (InUseFilter,)
    search_fields = ("display_name", "identifier", "app_id")
    ordering = ("display_name",)
    change_form_outer_before_template = "console/source_panel.html"
    change_form_outer_after_template = "console/source_danger.html"
    delete_confirmation_template = "console/archive_source.html"
    fieldsets = (
        (None, {"fields": ("display_name", "enabled", "registration", "association")}),
        (_("Credentials"), {"fields": ("type", "mode", "identifier", "app_id", "app_secret")}),
    )
    add_fieldsets = (
        (None, {"fields": ("mode", "app_id", "app_secret")}),
        (
            _("In Unionpass"),
            {"fields": ("display_name", "identifier", "registration", "association", "enabled")},
        ),
    )

    @display(
        description=_("state"),
        label={"on": "success", "off": "warning", "archived": "info"},
    )
    def state(self, source: IdentitySource) -> tuple[str, Any]:
        if source.archived_at:
            return "archived", _("Archived")
        if source.enabled and is_reachable(source):
            return "on", _("Sandbox, on") if source.mode == IdentitySource.Mode.SANDBOX else _("On")
        return "off", _("Off")

    @display(description=_("health"), label={"failing": "danger"})
    def health(self, source: IdentitySource) -> tuple[str, Any]:
        # A source that isn't failing may just be unused.
        is_failing = source.failing_since and not source.archived_at
        return ("failing", _("Failing")) if is_failing else ("", "")

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path(
                "<uuid:source_id>/test-connection/",
                guard(try_connection_view(self)),
                name="identity_sources_identitysource_test_connection",
            ),
            path(
                "<uuid:source_id>/restore/",
                guard(restore_view(self)),
                name="identity_sources_identitysource_restore",
            ),
            path(
                "<uuid:source_id>/new-push-key/",
                guard(new_push_key_view(self)),
                name="identity_sources_identitysource_new_push_key",
            ),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj or settings.WECHAT_SANDBOX:
            return fieldsets
        return [
            (title, {"fields": tuple(name for name in options["fields"] if name != "mode")})
            for title, options in fieldsets
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if obj:
            return super().get_form(request, obj, **kwargs)
        kwargs |= {"form": NewSourceForm, "fields": NewSourceForm.Meta.fields}
        form = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (form,), {"source_type": _chosen_type(request)})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the type first: each has its own form."""
        chosen = _chosen_type(request)
        if chosen is None and self.has_add_permission(request):
            return self._choose_type(request)
        title = {"title": Type(chosen).label} if chosen else {}
        return super().add_view(request, form_url, {**title, **(extra_context or {})})

    def _choose_type(self, request: HttpRequest) -> HttpResponse:
        cards = [
            {
                "type": value,
                "name": value.label,
                "wechat_name": own,
                "icon": icon,
                "sentence": sentence,
            }
            for value, own, icon, sentence in TYPE_CARDS
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _("New identity source"),
            "cards": cards,
        }
        return TemplateResponse(request, "console/source_types.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        chosen = Type(_chosen_type(request) or Type.WECHAT_MINI_PROGRAM)
        word = chosen.removeprefix("wechat_").replace("_", "-")
        taken = set(self.get_queryset(request).values_list("identifier", flat=True))
        numbered = (
            word if number == 1 else f"{word}-{number}" for number in range(1, len(taken) + 2)
        )
        return {"identifier": next(name for name in numbered if name not in taken)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        source = kwargs.get("obj")
        if source:
            context |= {
                # The page has its own link, which says that nothing is deleted.
                "show_delete": False,
                "is_reachable": is_reachable(source),
                "may_change": place_of(request).may_change,
                **health_of(source),
                **message_push_of(source),
            }
        return super().render_change_form(request, context, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().delete_view(
            request, object_id, {"title": _("Archive"), **(extra_context or {})}
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List no dependent objects: archiving deletes nothing."""
        return [], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: IdentitySource) -> None:
        obj.archived_at = timezone.now()
        obj.save(update_fields=["archived_at"])

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, _("The source is archived; nobody logs in from it any more."))
        return HttpResponseRedirect(reverse("admin:identity_sources_identitysource_changelist"))


def _chosen_type(request: HttpRequest) -> str | None:
    chosen = request.GET.get("type")
    return chosen if chosen in Type.values else None

"""The login control tab: every source and way that the application may offer, each with a switch.

A login method becomes a row when it is switched on; until then it is a candidate, computed from
the pool's sources by the table in applications/rules.py.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldBooleanSwitchWidget

from applications.models import Application, LoginMethod
from applications.rules import Way, ways_in
from identity_sources.admin.health import failing_sign
from identity_sources.models import IdentitySource
from userpools.console.model_admin import PoolTabularInline


class FixedChoice(forms.Select):
    """A fixed choice: shown as text, sent as a hidden field."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        label = next((label for known, label in self.choices if str(known) == str(value)), "-")
        return format_html('<input type="hidden" name="{}" value="{}">{}', name, value, label)


class SourceChoiceField(forms.ModelChoiceField):
    """Shows a source so that it can be distinguished from others of its type."""

    def label_from_instance(self, obj: Any) -> str:
        return named(obj)


def named(source: IdentitySource) -> SafeString:
    """Return name and AppID, the association, and whether the source is failing."""
    name = format_html("{} · {}", source.display_name, source.app_id)
    for unusual in _unusual_of(source):
        name = format_html('{} <span class="up-subtle">· {}</span>', name, unusual)
    return format_html("{} {}", name, failing_sign()) if source.failing_since else name


def _unusual_of(source: IdentitySource) -> list[str]:
    """Describe the association, unless a new person becomes a new user."""
    association = source.get_association_display()
    asks = source.association != IdentitySource.Association.NONE
    closed = source.registration == IdentitySource.Registration.CLOSED
    said = [_("Association: %(association)s") % {"association": association}] if asks else []
    return [*said, source.get_registration_display()] if closed else said


class LoginMethodForm(forms.ModelForm):
    """One switch. Its source and way can't be changed."""

    identity_source = SourceChoiceField(
        queryset=IdentitySource.objects.none(), widget=FixedChoice, label=_("identity source")
    )
    way = forms.ChoiceField(choices=Way.choices, widget=FixedChoice, label=_("way in"))
    enabled = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, label=_("offered")
    )

    class Meta:
        model = LoginMethod
        fields = ("enabled", "identity_source", "way", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:  # noqa: SLF001  documented
            self.fields["identity_source"].disabled = self.fields["way"].disabled = True

    def has_changed(self) -> bool:
        """Tell whether there is something to save: a candidate becomes a row when switched on.

        Its position and its source may have changed since the page was opened.
        """
        is_candidate = self.instance._state.adding  # noqa: SLF001  documented
        return super().has_changed() and not (is_candidate and "enabled" not in self.changed_data)


class LoginControlFormSet(PaginationInlineFormSet):
    """The application's switches: its rows, then the candidates."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["identity_source"].queryset = sources_for(self.instance)
        form.instance.pool_id = self.instance.pool_id


class LoginControlInline(PoolTabularInline):
    """The tab. It deletes nothing: sessions refer to login methods offered earlier."""

    model = LoginMethod
    form = LoginMethodForm
    formset = LoginControlFormSet
    # unfold uses the singular as the title of a tab that can have only one row.
    verbose_name = verbose_name_plural = _("Login control")
    fields = ("enabled", "identity_source", "way", "position")
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    can_delete = False
    template_before = "console/login_control.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoginMethod]:
        """Leave out what belongs to archived sources."""
        methods: QuerySet[LoginMethod] = super().get_queryset(request)
        in_use = methods.filter(identity_source__archived_at__isnull=True)
        return in_use.select_related("identity_source").order_by("position", "pk")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if self.has_change_permission(request, obj):
            return self.fields
        return tuple("source" if name == "identity_source" else name for name in self.fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if self.has_change_permission(request, obj) else ("source",)

    @display(description=_("identity source"))
    def source(self, method: LoginMethod) -> SafeString:
        """Show a viewer the source as the form shows it; Django would show only its name."""
        page = reverse(
            "admin:identity_sources_identitysource_change", args=[method.identity_source_id]
        )
        return format_html('<a href="{}">{}</a>', page, named(method.identity_source))

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(candidates(obj)) if obj else 0

    def get_max_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        # No empty row can be added by hand: all candidates are listed.
        return len(candidates(obj)) + obj.login_methods.count() if obj else 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(obj) and super().has_add_permission(request, obj)


def sources_for(application: Application) -> QuerySet[IdentitySource]:
    """Return the sources of the pool that serve this type of application, by the table."""
    types = [type_ for type_ in IdentitySource.Type if ways_in(type_, application.type)]
    return IdentitySource.objects.filter(
        pool=application.pool_id, type__in=types, archived_at__isnull=True
    ).order_by("display_name", "pk")


def candidates(application: Application) -> list[dict[str, Any]]:
    """Return the initial values of the candidates' switches, all off."""
    taken = set(application.login_methods.values_list("identity_source_id", "way"))
    untouched = _untouched(sources_for(application), application.type, taken)
    return [
        {"identity_source": source.pk, "way": way, "enabled": False, "position": position}
        for position, (source, way) in enumerate(untouched, start=len(taken))
    ]


def _untouched(
    sources: Iterable[IdentitySource], application_type: str, taken: set[Any]
) -> list[tuple[IdentitySource, Way]]:
    return [
        (source, way)
        for source in sources
        for way in ways_in(source.type, application_type)
        if (source.pk, way) not in taken
    ]

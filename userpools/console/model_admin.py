"""Base classes of the console's pages: rows of one pool, for operators with a role in it.

Django's own permissions aren't used: they are about models, neither about pools nor rows.
"""

import re
from itertools import islice
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import smart_split
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import PaginationInlineFormSet

from config.kernel.database import violated_constraint
from config.kernel.immutable import ImmutableFieldsMixin
from userpools.console.place import place_of
from userpools.models import UserPool

# Each word is a condition on every column that is searched, and adds to the cost.
MOST_SEARCH_WORDS = 8
_SAVED_BY_ANOTHER = gettext_lazy("Somebody else has just saved the same. Look and try again.")
_PAGE = re.compile(r"[0-9]{1,8}")
# The forms of a choice in Django's filters: the value itself, a row, or "empty".
_FILTER_SUFFIXES = ("", "__exact", "__id__exact", "__isnull")


class PoolForm(ModelForm):
    """A form that sets its row's pool from the path before validation.

    Django skips a constraint if one of its fields isn't in the form, and the pool never is:
    without this, only the database would detect an identifier that is taken.
    """

    pool: ClassVar[UserPool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001  documented in spite of its name
            self.instance.pool = self.pool

    def _get_validation_exclusions(self) -> set[str]:
        # Django offers no public way to have a field that isn't in the form checked, and its stubs
        # leave this one out: hence the ignore.
        return super()._get_validation_exclusions() - {"pool"}  # type: ignore[misc]


class RoleMixin:
    """Permissions by the operator's role in the pool: viewers view, administrators change."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return place_of(request).role is not None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return place_of(request).role is not None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return place_of(request).may_change

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return place_of(request).may_change

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return place_of(request).may_change


class PoolModelAdmin(RoleMixin, ModelAdmin):
    """The pages of a model whose rows belong to pools; ``path`` is their place in the address.

    ``invitation`` is the text of an empty list. ``too_late`` has the exceptions that saving raises
    if the row changed since the page was opened, each with its message.
    """

    path: ClassVar[str]
    invitation: Any = ""
    too_late: ClassVar[dict[type[Exception], Any]] = {}
    form: type[ModelForm] = PoolForm
    actions = None
    list_fullwidth = True
    # Facets would count rows, which lists avoid on purpose.
    show_facets = ShowFacets.NEVER
    list_filter_sheet = False
    warn_unsaved_form = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the pool in the path, and of no other."""
        return super().get_queryset(request).filter(pool=place_of(request).require_pool())

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model:
        """Return the row.

        Raises:
            Http404: there is none in this pool; Django would lead to another page instead.

        """
        found: Model | None = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by the first words only."""
        words = islice(smart_split(search_term), MOST_SEARCH_WORDS)
        return super().get_search_results(request, queryset, " ".join(words))

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> type[ModelForm]:
        form: type[ModelForm] = super().get_form(request, obj, **kwargs)
        return type(form.__name__, (form,), {"pool": place_of(request).require_pool()})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Add the fields that can't be changed once they are set."""
        fixed = obj.IMMUTABLE if isinstance(obj, ImmutableFieldsMixin) else ()
        return (*super().get_readonly_fields(request, obj), *fixed)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        """Offer only rows of the pool."""
        kwargs.setdefault("queryset", of_pool(db_field, place_of(request).require_pool()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out write-only fields for viewers.

        Django shows read-only fields as text, by the row's attribute of that name, and
        ``app_secret`` is the method that decrypts.
        """
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        columns = {field.name for field in self.opts.get_fields()}
        typed = self.form.declared_fields.keys() - columns
        return [
            (title, options | {"fields": [name for name in options["fields"] if name not in typed]})
            for title, options in fieldsets
        ]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the list's own filters.

        Django allows any column of the model, with any comparison, and columns of related models:
        enough to guess hidden values, character by character.
        """
        # PostgreSQL accepts no NUL, not even in a search.
        return "\x00" not in value and any(
            lookup in _lookups_of(item) for item in self.get_list_filter(request)
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show the buttons to save and to continue editing, without "add another"."""
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a message that the row changed meanwhile, and the current page."""
        expected: tuple[type[Exception], ...] = (IntegrityError, *self.too_late)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except expected as error:
            if isinstance(error, IntegrityError) and not violated_constraint(error):
                raise
            messages.error(request, self.too_late.get(type(error), _SAVED_BY_ANOTHER))
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyMixin:
    """Read-only pages."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShownModelAdmin(ReadOnlyMixin, PoolModelAdmin):
    """Rows with a read-only page from their own template."""

    template: str

    def shown(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Return what the template shows besides the row, such as ``title``."""
        return {}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the row."""
        obj = self.get_object(request, object_id)
        if request.method == "POST":
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": obj,
            **self.shown(request, obj),
        }
        return TemplateResponse(request, self.template, context)


class PagedFormSet(PaginationInlineFormSet):
    """Handles page numbers: unfold's code fails on digits that aren't ASCII."""

    def get_page_num(self) -> int:
        page = self.request.GET.get(self.get_pagination_key(), "")
        return max(int(page), 1) if _PAGE.fullmatch(page) else 1


class PoolTabularInline(RoleMixin, TabularInline):
    """Rows within the page of the row that they belong to."""

    formset = PagedFormSet
    tab = True
    extra = 0
    show_change_link = False


def _lookups_of(list_filter: Any) -> set[str]:
    """Return the query parameters of a list's filter."""
    if isinstance(list_filter, type) and issubclass(list_filter, SimpleListFilter):
        return {str(list_filter.parameter_name)}
    name = list_filter[0] if isinstance(list_filter, tuple) else list_filter
    return {name + suffix for suffix in _FILTER_SUFFIXES}


def of_pool(db_field: ForeignKey[Any, Any], pool: UserPool) -> QuerySet[Any]:
    """Return the rows of the pool that a foreign key may name; a pool names itself."""
    model = db_field.related_model
    rows: QuerySet[Any] = model._default_manager.all()
    return rows.filter(pk=pool.pk) if model is UserPool else rows.filter(pool=pool)

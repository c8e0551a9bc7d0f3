"""The review list: conflicts that no rule may decide, and an operator's decisions about them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts.admin.merges import comparison_context, log_merge, say_obstacles
from accounts.admin.user_actions import page_of
from accounts.merging.comparison import side_of
from accounts.merging.merge import CannotMerge
from accounts.merging.review import keep_apart, merge_pair
from accounts.models import Conflict
from userpools.console.display import ago
from userpools.console.model_admin import ShownModelAdmin
from userpools.console.place import operator_of, place_of

State = Conflict.State
_ALL = "all"
Decide = Callable[[HttpRequest, Conflict], HttpResponse]


class StateFilter(SimpleListFilter):
    """Shows the conflicts that wait for a decision unless another state is chosen."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        settled = [(state.value, state.label) for state in State if state != State.OPEN]
        return [*settled, (_ALL, _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Rename the first choice, which isn't "all" here."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": State.OPEN.label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == _ALL:
            return queryset
        return queryset.filter(state=self.value() or State.OPEN)


@admin.register(Conflict)
class ConflictAdmin(ShownModelAdmin):
    """The pool's conflicts, last seen first; the page of each shows both users side by side."""

    path = "review"
    template = "console/conflict.html"
    invitation = _("Nothing waits for a decision: nobody seems to be two users.")
    list_display = ("who", "reason", "coloured_state", "occurrences", "last_seen")
    list_filter = (StateFilter,)
    list_select_related = ("user", "other")
    ordering = ("-last_seen_at", "-pk")
    show_full_result_count = False

    @display(description=_("who"))
    def who(self, conflict: Conflict) -> str:
        return " · ".join(user.display_name for user in (conflict.user, conflict.other) if user)

    @display(
        description=_("state"),
        label={State.OPEN: "warning", State.MERGED: "success", State.APART: "info"},
    )
    def coloured_state(self, conflict: Conflict) -> tuple[str, str]:
        return conflict.state, conflict.get_state_display()

    @display(description=_("last seen"), ordering="last_seen_at")
    def last_seen(self, conflict: Conflict) -> str:
        return ago(conflict.last_seen_at)

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path(
                "<uuid:conflict_id>/merge/",
                guard(self._decision_view(self._merge)),
                name="accounts_conflict_merge",
            ),
            path(
                "<uuid:conflict_id>/keep-apart/",
                guard(self._decision_view(self._keep_apart)),
                name="accounts_conflict_keep_apart",
            ),
            *super().get_urls(),
        ]

    def shown(self, request: HttpRequest, obj: Conflict) -> dict[str, Any]:
        """Show both users side by side, and what merging them would do."""
        return {
            **self._people(obj),
            "title": obj.get_reason_display(),
            "conflict": obj,
            "first_seen": ago(obj.first_seen_at),
            "last_seen": ago(obj.last_seen_at),
            "may_change": place_of(request).may_change,
        }

    def _people(self, conflict: Conflict) -> dict[str, Any]:
        if conflict.other and conflict.state != State.MERGED:
            return comparison_context(conflict.user, conflict.other)
        people = [user for user in (conflict.user, conflict.other) if user]
        return {"sides": [side_of(user) for user in people]}

    def _decision_view(self, decide: Decide) -> Callable[[HttpRequest, UUID], HttpResponse]:
        @require_POST
        def view(request: HttpRequest, conflict_id: UUID) -> HttpResponse:
            conflict = self.get_object(request, str(conflict_id))
            if not isinstance(conflict, Conflict) or not place_of(request).may_change:
                raise PermissionDenied
            return decide(request, conflict)

        return view

    def _merge(self, request: HttpRequest, conflict: Conflict) -> HttpResponse:
        try:
            merge = merge_pair(
                conflict,
                seen=request.POST.get("state", ""),
                operator=operator_of(request),
                now=timezone.now(),
            )
        except CannotMerge as refusal:
            say_obstacles(request, refusal)
            return HttpResponseRedirect(_page_of(conflict))
        if merge is None:
            return self._too_late(request)
        self.log_change(request, conflict, str(_("Merged.")))
        log_merge(self, request, merge)
        return HttpResponseRedirect(page_of(merge.survivor))

    def _keep_apart(self, request: HttpRequest, conflict: Conflict) -> HttpResponse:
        if not keep_apart(conflict):
            return self._too_late(request)
        sentence = _("Kept apart: no login merges them.") if conflict.other else _("Dismissed.")
        self.log_change(request, conflict, str(sentence))
        messages.success(request, sentence)
        return HttpResponseRedirect(reverse("admin:accounts_conflict_changelist"))

    def _too_late(self, request: HttpRequest) -> HttpResponse:
        messages.info(request, _("Somebody else has decided meanwhile. Nothing was changed."))
        return HttpResponseRedirect(reverse("admin:accounts_conflict_changelist"))


def _page_of(conflict: Conflict) -> str:
    return reverse("admin:accounts_conflict_change", args=[conflict.pk])

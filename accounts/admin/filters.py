"""Filters for the lists of users and login events."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import RelatedFieldListFilter, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from userpools.console.place import place_of

_PERIODS = {
    "hour": (timedelta(hours=1), _("Last hour")),
    "day": (timedelta(days=1), _("Last 24 hours")),
    "week": (timedelta(days=7), _("Last 7 days")),
}


class OfPoolFilter(RelatedFieldListFilter):
    """Offers only rows of the pool; Django's own filter offers those of every pool."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        pool = place_of(request).require_pool()
        ordering = self.field_admin_ordering(field, request, model_admin)
        choices: list[tuple[str, Any]] = field.get_choices(
            include_blank=False, ordering=ordering, limit_choices_to={"pool": pool.pk}
        )
        return choices


class WhenFilter(SimpleListFilter):
    """Keeps the attempts of the last hour, day or week."""

    title = _("time")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(word, label) for word, (_period, label) in _PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in _PERIODS:
            return queryset
        period, _label = _PERIODS[str(self.value())]
        return queryset.filter(occurred_at__gte=timezone.now() - period)

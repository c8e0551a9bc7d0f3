"""What an operator wants to know of a pool at a glance: whether everything is all right."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import LoginEvent, User
from accounts.narration import meaning_of
from applications.models import Application, LoginMethod
from applications.rules import ApplicationType
from identity_sources.models import IdentitySource
from userpools.models import UserPool

PERIOD = timedelta(hours=24)
REFUSALS_SHOWN = 5
EVENTS_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """How often one reason refused a login within the period."""

    error: str
    meaning: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The pool's last 24 hours, and what is still to be set up."""

    succeeded: int
    refused: int
    refused_before: int
    """in the 24 hours before"""
    new_users: int
    users: int
    refusals: list[Refusals]
    events: list[LoginEvent]
    has_source: bool
    has_application: bool
    has_method: bool
    experience: list[Application]
    """mini program applications, which can be experienced"""

    @property
    def is_set_up(self) -> bool:
        return self.has_source and self.has_application and self.has_method


def overview_of(pool: UserPool, *, now: datetime) -> Overview:
    """Gather the overview; each figure is a query that the pool's indexes serve."""
    counts = _counts(pool, now)
    applications = Application.objects.filter(pool=pool)
    sources = IdentitySource.objects.filter(pool=pool, archived_at__isnull=True)
    return Overview(
        **counts,
        users=User.objects.filter(pool=pool).count(),
        refusals=_refusals(pool, now),
        events=_latest(pool),
        has_source=sources.exists(),
        has_application=applications.exists(),
        has_method=LoginMethod.objects.offered().filter(pool=pool).exists(),
        experience=list(
            applications.filter(type=ApplicationType.MINI_PROGRAM, enabled=True).order_by("name")
        ),
    )


def _counts(pool: UserPool, now: datetime) -> dict[str, int]:
    today = Q(occurred_at__gte=now - PERIOD)
    refused = Q(outcome=LoginEvent.Outcome.REFUSED)
    events = LoginEvent.objects.filter(pool=pool, occurred_at__gte=now - 2 * PERIOD)
    return events.aggregate(
        succeeded=Count("pk", filter=today & ~refused),
        refused=Count("pk", filter=today & refused),
        refused_before=Count("pk", filter=~today & refused),
        new_users=Count("pk", filter=today & Q(decision=LoginEvent.Decision.CREATED)),
    )


def _refusals(pool: UserPool, now: datetime) -> list[Refusals]:
    rows = (
        LoginEvent.objects.filter(
            pool=pool, occurred_at__gte=now - PERIOD, outcome=LoginEvent.Outcome.REFUSED
        )
        .values("error")
        .annotate(count=Count("pk"))
        .order_by("-count", "error")[:REFUSALS_SHOWN]
    )
    return [
        Refusals(error=row["error"], meaning=meaning_of(row["error"]), count=row["count"])
        for row in rows
    ]


def _latest(pool: UserPool) -> list[LoginEvent]:
    events = LoginEvent.objects.filter(pool=pool).select_related("application").defer("steps")
    return list(events.order_by("-occurred_at", "-pk")[:EVENTS_SHOWN])

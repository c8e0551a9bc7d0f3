"""The overview of a pool on the console's first page: figures, problems and latest events."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, prefetch_related_objects

from accounts.merging.review import open_conflicts
from accounts.models import Conflict, LoginEvent, User
from accounts.words.explanations import REFUSALS_THAT_ASK
from accounts.words.reasons import meaning_of
from applications.models import Application, LoginMethod
from applications.offers import is_usable
from applications.rules import ApplicationType
from identity_sources.complaints import Complaint, complaints_about
from identity_sources.models import IdentitySource
from userpools.models import UserPool

PERIOD = timedelta(hours=24)
REFUSALS_SHOWN = 5
EVENTS_SHOWN = 8
CONFLICTS_SHOWN = 5


# A first login that continues with a question to the person isn't a failure.
_REFUSED = Q(outcome=LoginEvent.Outcome.REFUSED) & ~Q(error__in=REFUSALS_THAT_ASK)


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """How often logins were refused with one error within the period."""

    error: str
    meaning: str
    count: int


@dataclass(frozen=True, kw_only=True)
class FailingSource:
    """A source in use whose settings WeChat refuses, with WeChat's complaints."""

    source: IdentitySource
    since: datetime
    complaints: list[Complaint]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The last 24 hours of the pool, and which parts of its setup exist."""

    succeeded: int
    refused: int
    refused_before: int
    """in the 24 hours before"""
    new_users: int
    users: int
    refusals: list[Refusals]
    events: list[LoginEvent]
    failing: list[FailingSource]
    """the longest failing first"""
    conflicts: list[Conflict]
    """the first conflicts that wait for a decision"""
    has_source: bool
    has_application: bool
    has_method: bool
    experience: list[Application]
    """enabled applications that people log in to"""

    @property
    def is_set_up(self) -> bool:
        return self.has_source and self.has_application and self.has_method


def overview_of(pool: UserPool, *, now: datetime) -> Overview:
    """Return the overview; each figure is a query that uses an index of the pool."""
    counts = _counts(pool, now)
    applications = Application.objects.filter(pool=pool)
    sources = list(IdentitySource.objects.filter(pool=pool, archived_at__isnull=True))
    return Overview(
        **counts,
        users=User.objects.filter(pool=pool).exclude(status=User.Status.MERGED).count(),
        refusals=_refusals(pool, now),
        events=_latest(pool),
        failing=_failing(sources, now),
        conflicts=list(open_conflicts(pool).select_related("user", "other")[:CONFLICTS_SHOWN]),
        has_source=bool(sources),
        has_application=applications.exists(),
        has_method=LoginMethod.objects.offered().filter(pool=pool).exists(),
        experience=list(
            applications.filter(enabled=True).exclude(type=ApplicationType.MACHINE).order_by("name")
        ),
    )


def _counts(pool: UserPool, now: datetime) -> dict[str, int]:
    today = Q(occurred_at__gte=now - PERIOD)
    succeeded = Q(outcome=LoginEvent.Outcome.SUCCEEDED)
    events = LoginEvent.objects.filter(pool=pool, occurred_at__gte=now - 2 * PERIOD)
    return events.aggregate(
        succeeded=Count("pk", filter=today & succeeded),
        refused=Count("pk", filter=today & _REFUSED),
        refused_before=Count("pk", filter=~today & _REFUSED),
        new_users=Count("pk", filter=today & Q(decision=LoginEvent.Decision.CREATED)),
    )


def _failing(sources: list[IdentitySource], now: datetime) -> list[FailingSource]:
    # No login uses a source that is off, so its failure affects no user.
    failing = [source for source in sources if source.failing_since and is_usable(source)]
    prefetch_related_objects(failing, "failures")
    found = [
        FailingSource(
            source=source,
            since=source.failing_since,
            complaints=[
                complaint
                for complaint in complaints_about(source, now=now)
                if not complaint.is_notice
            ],
        )
        for source in failing
        if source.failing_since
    ]
    return sorted(found, key=lambda one: (one.since, one.source.display_name))


def _refusals(pool: UserPool, now: datetime) -> list[Refusals]:
    rows = (
        LoginEvent.objects.filter(_REFUSED, pool=pool, occurred_at__gte=now - PERIOD)
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

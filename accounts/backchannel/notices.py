"""Which notices are due, who makes the attempt, and when the next one is made.

Several processes may be at it: each attempt is claimed by one conditional UPDATE, which moves the
notice ahead. A process that is killed meanwhile loses nothing, the notice is due again then.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from accounts.backchannel.delivery import AT_ONCE, deliver
from accounts.backchannel.logout_tokens import logout_token
from accounts.models import LogoutNotice
from config.connections import release_connection

logger = logging.getLogger(__name__)

# Longer than an attempt takes.
CLAIMED_FOR = timedelta(minutes=1)
TRIED_AGAIN_AFTER = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """How many attempts were made, and what came of them."""

    delivered: int
    failed: int


def deliver_due(*, due_by: datetime) -> Delivered:
    """Make one attempt at each notice that is due by then, unless somebody else does.

    No database connection is held while applications are asked.
    """
    failures: list[str] = []
    due = LogoutNotice.objects.due(due_by).select_related(
        "session__user", "session__application__pool"
    )
    while notices := list(due[:AT_ONCE]):
        claimed = [notice for notice in notices if _claim(notice, now=timezone.now())]
        failures += _attempt(claimed)
    failed = sum(map(bool, failures))
    return Delivered(delivered=len(failures) - failed, failed=failed)


def _claim(notice: LogoutNotice, *, now: datetime) -> bool:
    """Take the next attempt upon ourselves; tell whether nobody else had."""
    unclaimed = LogoutNotice.objects.filter(pk=notice.pk, due_at=notice.due_at)
    notice.due_at = now + CLAIMED_FOR
    notice.attempts += 1
    return bool(unclaimed.update(due_at=notice.due_at, attempts=F("attempts") + 1))


def _attempt(claimed: list[LogoutNotice]) -> list[str]:
    now = timezone.now()
    uris = [notice.session.application.backchannel_logout_uri for notice in claimed]
    tokens = [logout_token(notice.session, now=now) for notice in claimed]
    release_connection()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        failures = list(threads.map(deliver, uris, tokens))
    _settle(zip(claimed, failures, strict=True), now=timezone.now())
    return failures


def _settle(attempts: Iterable[tuple[LogoutNotice, str]], *, now: datetime) -> None:
    for notice, failure in attempts:
        row = LogoutNotice.objects.filter(pk=notice.pk)
        if not failure:
            row.update(due_at=None, delivered_at=now, failure="")
            continue
        # Whoever claimed it since, because this took so long, knows better.
        row.filter(due_at=notice.due_at).update(due_at=_next_attempt(notice, now), failure=failure)
        logger.info(
            "The application %s didn't take attempt %s to tell it of a logout: %s.",
            notice.session.application.client_id,
            notice.attempts,
            failure,
        )


def _next_attempt(notice: LogoutNotice, now: datetime) -> datetime | None:
    if notice.attempts > len(TRIED_AGAIN_AFTER):
        return None
    return now + TRIED_AGAIN_AFTER[notice.attempts - 1]

"""Claiming a notice for one delivery attempt, and storing its result and the next attempt.

Several processes deliver notices: each attempt is claimed by one conditional UPDATE, which
postpones ``due_at``. If a process is killed meanwhile, the notice becomes due again.
"""

from datetime import datetime, timedelta

from django.db.models import F

from accounts.models import LogoutNotice, Session

# Longer than an attempt takes.
CLAIMED_FOR = timedelta(minutes=1)
TRIED_AGAIN_AFTER = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
GIVEN_UP_AFTER = timedelta(days=1)


def claim_attempt(notice: LogoutNotice, *, now: datetime) -> bool:
    """Claim the next attempt; return whether no other process had claimed it."""
    unclaimed = LogoutNotice.objects.filter(pk=notice.pk, due_at=notice.due_at)
    notice.due_at = now + CLAIMED_FOR
    notice.attempts += 1
    return bool(unclaimed.update(due_at=notice.due_at, attempts=F("attempts") + 1))


def store_result(notice: LogoutNotice, failure: str, *, now: datetime) -> None:
    """Store the result of a claimed attempt: the failure, or an empty string."""
    row = LogoutNotice.objects.filter(pk=notice.pk)
    if failure:
        # Unless another process has claimed it since, because this attempt took too long.
        row.filter(due_at=notice.due_at).update(
            due_at=_next_attempt(notice.attempts, now), failure=failure
        )
    else:
        row.update(due_at=None, delivered_at=now, failure="")


def put_off_others(notice: LogoutNotice, failure: str, *, due_by: datetime, now: datetime) -> None:
    """Postpone the other due notices of an unreachable application as long as this one.

    Otherwise each would occupy a thread only to fail in the same way. This doesn't count as an
    attempt, so notices that are too old are given up.
    """
    sessions = Session.objects.filter(application=notice.session.application_id)
    others = LogoutNotice.objects.filter(session__in=sessions, due_at__lte=due_by)
    others.filter(created_at__lt=now - GIVEN_UP_AFTER).update(due_at=None, failure=failure)
    later = _next_attempt(notice.attempts, now) or now + TRIED_AGAIN_AFTER[-1]
    others.update(due_at=later, failure=failure)


def _next_attempt(attempts: int, now: datetime) -> datetime | None:
    if attempts > len(TRIED_AGAIN_AFTER):
        return None
    return now + TRIED_AGAIN_AFTER[attempts - 1]

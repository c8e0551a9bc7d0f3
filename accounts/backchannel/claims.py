"""What is remembered of an attempt: who makes it, what came of it, and when the next one is made.

Several processes may be at it: each attempt is claimed by one conditional UPDATE, which moves the
notice ahead. A process that is killed meanwhile loses nothing, the notice is due again then.
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


def claim(notice: LogoutNotice, *, now: datetime) -> bool:
    """Take the next attempt upon ourselves; tell whether nobody else had."""
    unclaimed = LogoutNotice.objects.filter(pk=notice.pk, due_at=notice.due_at)
    notice.due_at = now + CLAIMED_FOR
    notice.attempts += 1
    return bool(unclaimed.update(due_at=notice.due_at, attempts=F("attempts") + 1))


def settle(notice: LogoutNotice, failure: str, *, now: datetime) -> None:
    """Note what came of the attempt that we claimed: a failure's word, or nothing."""
    row = LogoutNotice.objects.filter(pk=notice.pk)
    if failure:
        # Whoever claimed it since, because this took so long, knows better.
        row.filter(due_at=notice.due_at).update(
            due_at=_next_attempt(notice.attempts, now), failure=failure
        )
    else:
        row.update(due_at=None, delivered_at=now, failure="")


def put_off_others(notice: LogoutNotice, failure: str, *, due_by: datetime, now: datetime) -> None:
    """Let what else is due at an application that can't be told wait as long as this notice.

    Otherwise each would hold a thread to learn what one has learned. It counts as no
    attempt of theirs, so what is too old by then is given up.
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

"""Whether WeChat accepts a source's settings, as shown by the results of its calls.

A source fails from the first call whose answer blames its settings (wechat/errcodes.py) until the
same call shows that they are correct again. Time-outs and WeChat's own errors change nothing, nor
does entering another AppSecret: the next call decides.

There is a `SourceFailure` for each failing call, and ``failing_since`` is set while there is one.
Both change together, under a lock on the source's row. While a source works this code uses no
database query, and while it fails a call that fails like the previous one only reads.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import Error, transaction
from django.db.models import Q, QuerySet

from config.kernel.database import release_connection
from identity_sources.models import IdentitySource, SourceFailure
from identity_sources.wechat.client import CallRecord
from identity_sources.wechat.errcodes import BANS

logger = logging.getLogger(__name__)

# Otherwise every login at a failing source would write the same row.
SAME_AGAIN = timedelta(minutes=1)
# WeChat sends no event when a warning is over.
NOTICES_LAST = timedelta(days=30)

PUNISHMENT = "wxa_punish_event"
REMOVED, ACCOUNT_BANNED = 3, 4
_SHUTS_THE_APP = frozenset({REMOVED, ACCOUNT_BANNED})
_NOTICE = f"{PUNISHMENT}:"
# WeChat gives codes for these calls to people who have the mini program or the page open.
_LOGINS = frozenset({"jscode2session", "oauth2_access_token"})


def note_call(source: IdentitySource, record: CallRecord, *, now: datetime) -> None:
    """Update the source's health from a finished call.

    ``source`` is as it was read before the call. Never raises a database error: WeChat has
    answered and the code is used up, so a login shouldn't fail for a note that the next call makes
    as well. The connection is released, since another call may follow.
    """
    if record.settings_accepted is None or (record.settings_accepted and not source.failing_since):
        return
    try:
        if record.settings_accepted:
            _heal(source, record, now)
        else:
            _fail(_refusal(source, record, now))
    except Error:
        logger.exception("The health of identity source %s couldn't be noted.", source.pk)
    finally:
        release_connection()


def note_punishment(
    source: IdentitySource, *, event_type: int, facts: Mapping[str, str | int], now: datetime
) -> None:
    """Note WeChat's event ``wxa_punish_event``, whose origin must be verified before.

    Types 3 (removed) and 4 (account banned) make the source fail, until WeChat returns an identity
    again. The others (1 warning, 2 function ban, 10 page ban, and what WeChat may add) are
    kept as notices, the last of each type, and are shown for `NOTICES_LAST`. ``facts`` has further
    details for the console, by WeChat's names, such as ``banned_days``.

    A failure of the database is raised: WeChat sends an event again that wasn't acknowledged.
    Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/Penalty_for_Violation
    """
    shuts = event_type in _SHUTS_THE_APP
    seen = SourceFailure(
        source=source,
        call=PUNISHMENT if shuts else f"{_NOTICE}{event_type}",
        facts={**facts, "event_type": event_type},
        since=now,
        last_at=now,
    )
    with _alone_with(source):
        _store(seen, fails=shuts)


def is_notice(failure: SourceFailure) -> bool:
    """Tell whether the row is only a notice of WeChat's: the source still works."""
    return failure.call.startswith(_NOTICE)


def _refusal(source: IdentitySource, record: CallRecord, now: datetime) -> SourceFailure:
    longest = SourceFailure._meta.get_field("errmsg").max_length
    return SourceFailure(
        source=source,
        call=record.call,
        errcode=record.errcode,
        errmsg=record.errmsg[:longest],
        rid=record.rid or "",
        since=now,
        last_at=now,
    )


def _fail(seen: SourceFailure) -> None:
    if _is_noted(seen):
        return
    with _alone_with(seen.source):
        # Many concurrent logins may get the first refusal; one of them notes it.
        if not _is_noted(seen):
            _store(seen, fails=True)


def _is_noted(seen: SourceFailure) -> bool:
    same = SourceFailure.objects.filter(
        source=seen.source,
        call=seen.call,
        errcode=seen.errcode,
        last_at__gt=seen.last_at - SAME_AGAIN,
    )
    return same.exists()


def _store(seen: SourceFailure, *, fails: bool) -> None:
    SourceFailure.objects.bulk_create(
        [seen],
        update_conflicts=True,
        unique_fields=["source", "call"],
        update_fields=["errcode", "errmsg", "rid", "facts", "last_at"],
    )
    if fails:
        working = IdentitySource.objects.filter(pk=seen.source_id, failing_since__isnull=True)
        working.update(failing_since=seen.since)


def _heal(source: IdentitySource, record: CallRecord, now: datetime) -> None:
    healed = _healed_by(source, record, now)
    # Another call may be the failing one: logins write nothing.
    if not healed.exists():
        return
    with _alone_with(source):
        healed.delete()
        if not _failures_of(source).exists():
            IdentitySource.objects.filter(pk=source.pk).update(failing_since=None)


def _healed_by(
    source: IdentitySource, record: CallRecord, now: datetime
) -> QuerySet[SourceFailure]:
    same = Q(call=record.call)
    if record.errcode != 0:
        # Made-up codes get this far, perhaps even for a banned app.
        same &= ~Q(errcode__in=BANS)
    elif record.call in _LOGINS:
        same |= Q(call=PUNISHMENT, last_at__lt=_began_by(record, now))
    return SourceFailure.objects.filter(same, source=source)


def _began_by(record: CallRecord, now: datetime) -> datetime:
    # A login that began before the ban proves nothing. Milliseconds are rounded.
    return now - timedelta(milliseconds=max(record.milliseconds - 1, 0))


def _failures_of(source: IdentitySource) -> QuerySet[SourceFailure]:
    return SourceFailure.objects.filter(source=source).exclude(call__startswith=_NOTICE)


@contextmanager
def _alone_with(source: IdentitySource) -> Iterator[None]:
    """Lock the source's health until the transaction ends.

    Conditional statements wouldn't suffice: the concurrent removal of the last failure and insert
    of another could leave a failure without ``failing_since``. ``no_key`` allows inserts of
    sessions that refer to the source. SQLite has one writer at a time anyway.
    """
    with transaction.atomic():
        list(
            IdentitySource.objects.select_for_update(no_key=True)
            .filter(pk=source.pk)
            .values_list("pk")
        )
        yield

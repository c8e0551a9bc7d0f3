"""Finished calls, as the client records them, and their effect on a source's health."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from identity_sources.health import note_call
from identity_sources.models import IdentitySource, SourceFailure
from identity_sources.wechat.client import CallRecord

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RID = "65f3e9f7-77cf1a1c-0dd74a0e"
SUCCESS = CallRecord(
    call="jscode2session",
    request="",
    answer={},
    milliseconds=20,
    attempts=1,
    errcode=0,
    errmsg="",
    rid=None,
    reason=None,
    settings_accepted=True,
)
REFUSED = replace(
    SUCCESS,
    errcode=40125,
    errmsg=f"invalid appsecret, rid: {RID}",
    rid=RID,
    settings_accepted=False,
)
BAD_CODE = replace(SUCCESS, errcode=40029)
AWAY = replace(SUCCESS, errcode=None, reason="timed_out", settings_accepted=None)
BUSY = replace(SUCCESS, errcode=-1, settings_accepted=None)


def note(source, record, *, now=NOW):
    """Note a call of the stored source, as every request reads it."""
    note_call(IdentitySource.objects.get(pk=source.pk), record, now=now)


def fails_since(source):
    return IdentitySource.objects.get(pk=source.pk).failing_since


def failures(source):
    return {row.call: row for row in SourceFailure.objects.filter(source=source)}

"""When a source fails and when it works again, call by call."""

from dataclasses import replace

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from identity_sources.health import SAME_AGAIN, is_notice, note_call, note_punishment
from identity_sources.models import IdentitySource
from identity_sources.wechat.errcodes import BANS
from tests.support import builders
from tests.support.wechat_calls import (
    AWAY,
    BAD_CODE,
    BUSY,
    MINUTE,
    NOW,
    REFUSED,
    RID,
    SECOND,
    SUCCESS,
    fails_since,
    failures,
    note,
)

# Failing


def test_a_refusal_of_the_settings_is_kept_with_all_that_wechat_said(source):
    note(source, REFUSED)

    assert fails_since(source) == NOW
    row = failures(source)["jscode2session"]
    assert (row.errcode, row.errmsg, row.rid) == (40125, REFUSED.errmsg, RID)
    assert (row.since, row.last_at, row.facts) == (NOW, NOW, {})
    assert not is_notice(row)


@pytest.mark.parametrize("record", [SUCCESS, BAD_CODE, AWAY, BUSY])
def test_nothing_else_makes_a_source_fail(source, record, django_assert_num_queries):
    with django_assert_num_queries(0):
        note_call(source, record, now=NOW)

    assert (fails_since(source), failures(source)) == (None, {})


def test_the_beginning_stays_and_the_last_time_moves_once_a_minute(source):
    for seconds, last in ((0, 0), (1, 0), (59, 0), (60, 60), (61, 60), (119, 60), (300, 300)):
        note(source, REFUSED, now=NOW + seconds * SECOND)
        row = failures(source)["jscode2session"]
        assert row.since == fails_since(source) == NOW
        assert row.last_at == NOW + last * SECOND
    assert SAME_AGAIN == MINUTE


def test_a_source_that_fails_again_and_again_only_reads(source):
    note(source, REFUSED)

    with CaptureQueriesContext(connection) as said:
        note_call(source, REFUSED, now=NOW + 59 * SECOND)

    assert [query["sql"].split()[0] for query in said] == ["SELECT"]


def test_another_errcode_is_kept_at_once(source):
    note(source, REFUSED)
    note(source, replace(REFUSED, errcode=40243, errmsg="frozen", rid=None), now=NOW + SECOND)

    row = failures(source)["jscode2session"]
    assert (row.errcode, row.errmsg, row.rid) == (40243, "frozen", "")
    assert (row.since, row.last_at) == (NOW, NOW + SECOND)


def test_each_call_fails_by_itself(source):
    note(source, REFUSED)
    note(source, replace(REFUSED, call="stable_token", errcode=40164), now=NOW + SECOND)

    assert {call: row.since for call, row in failures(source).items()} == {
        "jscode2session": NOW,
        "stable_token": NOW + SECOND,
    }
    assert fails_since(source) == NOW


def test_a_text_longer_than_the_column_is_cut(source):
    note(source, replace(REFUSED, errmsg="x" * 300))

    assert failures(source)["jscode2session"].errmsg == "x" * 256


def test_another_source_with_the_same_app_id_stays_as_it_is(source, globex):
    IdentitySource.objects.filter(pk=globex.source.pk).update(app_id=source.app_id)

    note(source, REFUSED)

    assert (fails_since(globex.source), failures(globex.source)) == (None, {})


# Healing


@pytest.mark.parametrize("record", [SUCCESS, BAD_CODE])
def test_the_same_call_heals(source, record):
    note(source, REFUSED)
    note(source, record, now=NOW + SECOND)

    assert (fails_since(source), failures(source)) == (None, {})

    note(source, REFUSED, now=NOW + MINUTE)
    assert fails_since(source) == NOW + MINUTE


@pytest.mark.parametrize("record", [AWAY, BUSY])
def test_an_outage_does_not_heal(source, record):
    note(source, REFUSED)
    note(source, record, now=NOW + SECOND)

    assert fails_since(source) == NOW
    assert list(failures(source)) == ["jscode2session"]


def test_a_call_heals_no_other(source):
    note(source, REFUSED)
    note(source, replace(REFUSED, call="stable_token"), now=NOW + SECOND)

    note(source, replace(SUCCESS, call="getuserphonenumber"), now=NOW + MINUTE)
    assert len(failures(source)) == 2

    note(source, SUCCESS, now=NOW + MINUTE)
    assert list(failures(source)) == ["stable_token"]
    assert fails_since(source) == NOW

    note(source, replace(SUCCESS, call="stable_token"), now=NOW + MINUTE)
    assert (fails_since(source), failures(source)) == (None, {})


@pytest.mark.parametrize("errcode", sorted(BANS))
def test_a_made_up_code_does_not_heal_a_ban(source, errcode):
    """Nothing says that WeChat looks at the ban before the code; anybody can send codes."""
    note(source, replace(REFUSED, errcode=errcode))

    note(source, BAD_CODE, now=NOW + SECOND)
    assert fails_since(source) == NOW

    note(source, SUCCESS, now=NOW + SECOND)
    assert fails_since(source) is None


def test_people_log_in_without_a_word_written_while_another_call_fails(source):
    note(source, replace(REFUSED, call="stable_token"))
    failing = IdentitySource.objects.get(pk=source.pk)

    with CaptureQueriesContext(connection) as said:
        note_call(failing, SUCCESS, now=NOW + SECOND)

    assert [query["sql"].split()[0] for query in said] == ["SELECT"]


def test_entering_another_app_secret_heals_nothing(source):
    note(source, REFUSED)
    changed = IdentitySource.objects.get(pk=source.pk)
    changed.set_app_secret(builders.LIVE_APP_SECRET, now=NOW + SECOND)
    changed.save()

    assert fails_since(source) == NOW
    assert failures(source)


def test_a_form_filled_in_meanwhile_does_not_put_the_health_back(source):
    read_before = IdentitySource.objects.get(pk=source.pk)
    note(source, REFUSED)
    read_before.display_name = "Renamed"
    read_before.save()
    assert (fails_since(source), IdentitySource.objects.get().display_name) == (NOW, "Renamed")

    read_before = IdentitySource.objects.get(pk=source.pk)
    note(source, SUCCESS, now=NOW + SECOND)
    read_before.save()
    assert fails_since(source) is None


def test_the_second_of_two_healers_finds_nothing_to_do(source):
    note(source, REFUSED)
    both = [IdentitySource.objects.get(pk=source.pk) for _ in range(2)]

    for one in both:
        note_call(one, SUCCESS, now=NOW + SECOND)

    assert (fails_since(source), failures(source)) == (None, {})


# What WeChat does to an app


@pytest.mark.parametrize("login", ["jscode2session", "oauth2_access_token"])
@pytest.mark.parametrize("event_type", [3, 4])
def test_an_app_that_is_removed_or_banned_fails_until_somebody_logs_in(source, event_type, login):
    note_punishment(source, event_type=event_type, facts={"banned_days": 0}, now=NOW)

    row = failures(source)["wxa_punish_event"]
    assert (fails_since(source), row.errcode, is_notice(row)) == (NOW, None, False)
    assert row.facts == {"event_type": event_type, "banned_days": 0}

    for record in (BAD_CODE, AWAY, replace(SUCCESS, call="stable_token")):
        note(source, record, now=NOW + SECOND)
        assert fails_since(source) == NOW

    note(source, replace(SUCCESS, call=login), now=NOW + SECOND)
    assert (fails_since(source), failures(source)) == (None, {})


def test_a_login_that_was_under_way_when_the_app_was_removed_proves_nothing(source):
    note_punishment(source, event_type=3, facts={}, now=NOW)

    note(source, replace(SUCCESS, milliseconds=1500), now=NOW + SECOND)
    assert fails_since(source) == NOW

    note(source, replace(SUCCESS, milliseconds=999), now=NOW + SECOND)
    assert fails_since(source) is None


@pytest.mark.parametrize("event_type", [1, 2, 5, 10, 99])
def test_other_punishments_are_notices(source, event_type):
    note_punishment(source, event_type=event_type, facts={}, now=NOW)

    assert fails_since(source) is None
    (row,) = failures(source).values()
    assert is_notice(row)
    assert row.facts == {"event_type": event_type}


def test_a_notice_neither_hides_a_ban_nor_keeps_a_source_failing(source):
    note_punishment(source, event_type=4, facts={"banned_days": 7}, now=NOW)
    note_punishment(source, event_type=1, facts={}, now=NOW + SECOND)
    note_punishment(source, event_type=1, facts={"warned_type": 2}, now=NOW + MINUTE)

    assert failures(source)["wxa_punish_event"].facts == {"event_type": 4, "banned_days": 7}

    note(source, SUCCESS, now=NOW + 2 * MINUTE)
    assert fails_since(source) is None
    (notice,) = failures(source).values()
    assert (notice.facts, notice.last_at) == ({"event_type": 1, "warned_type": 2}, NOW + MINUTE)


def test_a_punishment_that_cannot_be_kept_is_raised(source, unwritable):
    with pytest.raises(OperationalError):
        note_punishment(source, event_type=4, facts={}, now=NOW)

"""When an attempt is made, by whom, and what is remembered of it."""

import logging
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from accounts.backchannel.notices import Delivered, deliver_due
from accounts.models import LogoutNotice, Session
from tests.accounts.backchannel.reading import read

SECOND = timedelta(seconds=1)
SCHEDULE = [10, 60, 600, 3600, 6 * 3600]


@pytest.fixture
def notice(alice, told, enter):
    """Alice logged out of Acme's shop."""
    session = enter(alice, told)
    Session.objects.filter(pk=session.pk).end(now=timezone.now(), reason="logged_out")
    return LogoutNotice.objects.get()


def deliver_now():
    return deliver_due(due_by=timezone.now())


def state(notice):
    notice.refresh_from_db()
    return notice.attempts, notice.due_at, notice.failure


def test_a_notice_that_was_taken_is_done(receiver, notice, told):
    before = timezone.now()

    assert deliver_now() == Delivered(delivered=1, failed=0)

    assert state(notice) == (1, None, "")
    assert before <= notice.delivered_at <= timezone.now()
    claims = read(receiver.tokens[0], told)
    assert claims["sid"] == str(notice.session_id)
    assert abs(claims["iat"] - before.timestamp()) < 5
    assert deliver_now() == Delivered(delivered=0, failed=0)
    assert len(receiver.heard) == 1


def test_what_is_not_due_waits(receiver, notice):
    assert deliver_due(due_by=notice.due_at - SECOND) == Delivered(delivered=0, failed=0)

    assert receiver.heard == []


def test_what_was_not_taken_is_tried_again_ever_later_and_then_given_up(receiver, notice):
    for attempt, seconds in enumerate([*SCHEDULE, None], start=1):
        receiver.answer(503)
        LogoutNotice.objects.update(due_at=notice.created_at)
        before = timezone.now()

        assert deliver_now() == Delivered(delivered=0, failed=1)

        attempts, due_at, failure = state(notice)
        assert (attempts, failure) == (attempt, "answered_503")
        if seconds is None:
            assert due_at is None
        else:
            assert timedelta(0) <= due_at - before - seconds * SECOND < 5 * SECOND
    assert notice.delivered_at is None
    assert deliver_due(due_by=timezone.now() + timedelta(days=365)) == Delivered(
        delivered=0, failed=0
    )


def test_a_later_attempt_may_be_taken(receiver, notice):
    receiver.answer(500)
    deliver_now()

    assert deliver_due(due_by=timezone.now() + 11 * SECOND) == Delivered(delivered=1, failed=0)

    assert state(notice) == (2, None, "")
    assert len(set(receiver.tokens)) == 2


def test_the_address_is_read_at_the_attempt(receiver, notice, told):
    told.backchannel_logout_uri = receiver.url + "/moved"
    told.save()

    deliver_now()

    assert receiver.heard[0][0] == "/logged-out/moved"


def test_without_an_address_the_attempt_fails(receiver, notice, told):
    told.backchannel_logout_uri = ""
    told.save()

    assert deliver_now() == Delivered(delivered=0, failed=1)

    assert state(notice)[2] == "no_address"
    assert receiver.heard == []


def test_a_killed_process_loses_nothing(receiver, notice, monkeypatch):
    monkeypatch.setattr("accounts.backchannel.notices.deliver", _die)
    with pytest.raises(SystemExit):
        deliver_now()
    monkeypatch.undo()

    attempts, due_at, _ = state(notice)
    assert attempts == 1
    assert timezone.now() < due_at <= timezone.now() + timedelta(minutes=1)
    assert deliver_now() == Delivered(delivered=0, failed=0)
    assert deliver_due(due_by=due_at) == Delivered(delivered=1, failed=0)


def _die(uri, token):
    raise SystemExit


def test_an_attempt_that_took_too_long_leaves_the_next_one_alone(receiver, notice):
    """Somebody else claimed the notice meanwhile: its failure isn't theirs."""
    theirs = timezone.now() + timedelta(minutes=1)
    receiver.answer(500)
    receiver.listeners.append(_in_between(notice, due_at=theirs))

    deliver_now()

    assert state(notice)[1:] == (theirs, "")


def test_an_attempt_that_took_too_long_counts_if_it_was_taken(receiver, notice):
    theirs = timezone.now() + timedelta(minutes=1)
    receiver.listeners.append(_in_between(notice, due_at=theirs))

    deliver_now()

    assert state(notice)[1:] == (None, "")


@pytest.fixture(autouse=True)
def many_connections(threaded_database):
    """The application answers in a thread of its own, from which a test changes rows."""


def _in_between(notice, **changes):
    def change():
        LogoutNotice.objects.filter(pk=notice.pk).update(**changes)
        connection.close()

    return change


def test_no_connection_is_held_while_an_application_is_asked(receiver, notice):
    held = []
    asking = connections["default"]  # this thread's, whoever looks at it
    receiver.listeners.append(lambda: held.append(asking.connection))

    deliver_now()

    assert held == [None]


def test_more_than_go_at_once_all_go(alice, told, enter, receiver):
    for _ in range(19):
        enter(alice, told)
    Session.objects.all().end(now=timezone.now(), reason="user_suspended")

    assert deliver_now() == Delivered(delivered=19, failed=0)

    assert len(set(receiver.tokens)) == 19


def test_of_many_threads_one_delivers(receiver, alice, told, enter, together):
    for _ in range(20):
        enter(alice, told)
    Session.objects.all().end(now=timezone.now(), reason="user_suspended")

    tallies = together(lambda due_by: deliver_due(due_by=due_by), [timezone.now()] * 5)

    assert sum(tally.delivered for tally in tallies) == 20
    assert len(receiver.heard) == 20
    assert set(LogoutNotice.objects.values_list("attempts", flat=True)) == {1}


def test_a_failure_is_logged_without_address_and_token(receiver, notice, told, caplog):
    caplog.set_level(logging.INFO)
    told.backchannel_logout_uri = f"{receiver.url}?key=hunter2"
    told.save()
    receiver.answer(500, body=b"what they say")

    deliver_now()

    [line] = [record.getMessage() for record in caplog.records]
    assert line == (
        "The application acme-shop didn't take attempt 1 to tell it of a logout: answered_500."
    )
    assert state(notice)[2] == "answered_500"


def test_the_command_says_what_came_of_it(receiver, notice, capsys):
    receiver.answer(500)

    call_command("send_logout_notices")
    LogoutNotice.objects.update(due_at=timezone.now())
    call_command("send_logout_notices")

    assert capsys.readouterr().out.splitlines() == [
        "Delivered 0 logout notices; 1 weren't taken.",
        "Delivered 1 logout notices; 0 weren't taken.",
    ]

"""The thread of each server process: awake at once, patient otherwise, and hard to stop."""

import logging
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.backchannel.delivery_thread import DeliveryThread
from accounts.models import LogoutNotice, Session


class Stop(BaseException):
    """The test has seen enough."""


class Bell:
    """Stands in for the event: notes how long each wait would be, and stops the thread at last."""

    def __init__(self, waits):
        self.waits = waits
        self.pauses = []

    def clear(self):
        """Nobody rings."""

    def wait(self, seconds):
        self.pauses.append(seconds)
        if len(self.pauses) == self.waits:
            raise Stop


def run(waits):
    bell = Bell(waits)
    with pytest.raises(Stop):
        DeliveryThread(bell).run()
    return bell.pauses


@pytest.fixture
def notice(alice, told, enter):
    """A notice that is due."""
    enter(alice, told)
    Session.objects.all().end(now=timezone.now(), reason="logged_out")
    return LogoutNotice.objects.get()


def test_it_begins_with_what_an_earlier_process_left(notice, receiver):
    assert run(waits=1) == [15]

    assert len(receiver.heard) == 1


def test_it_looks_a_few_times_a_minute_and_asks_only_when_something_is_due(db):
    with CaptureQueriesContext(connection) as log:
        assert run(waits=3) == [15, 15, 15]

    looks = [query["sql"] for query in log if "accounts_logoutnotice" in query["sql"]]
    assert len(looks) == 3
    assert all("MIN(" in look for look in looks)


def test_without_anything_due_no_round_begins(notice, monkeypatch):
    LogoutNotice.objects.update(due_at=timezone.now() + timedelta(seconds=5))
    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", _away)

    [pause] = run(waits=1)

    assert 4 < pause <= 5


def test_it_sleeps_until_the_next_attempt(notice, receiver):
    receiver.answer(500)

    [pause] = run(waits=1)

    assert len(receiver.heard) == 1
    assert 8 < pause <= 10


def test_it_sleeps_no_longer_for_what_is_due_later(notice):
    LogoutNotice.objects.update(due_at=timezone.now() + timedelta(hours=6))

    assert run(waits=1) == [15]


def test_a_notice_that_stays_due_keeps_it_from_nothing(notice, monkeypatch):
    """Another process is about to claim it."""
    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", _nothing)

    assert run(waits=2) == [1, 1]


def test_it_gives_its_connection_back_between_rounds(threaded_database):
    run(waits=1)

    assert connection.connection is None


def test_without_the_database_it_goes_on_and_says_so_once(notice, monkeypatch, caplog):
    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", _away)
    caplog.set_level(logging.INFO)

    assert run(waits=7) == [10, 20, 40, 60, 60, 60, 60]

    [record] = caplog.records
    assert record.getMessage() == "Logout notices can't be delivered; this goes on being tried."


def test_it_is_as_quick_as_before_once_the_database_is_back(notice, monkeypatch, caplog):
    answers = iter([_away, _away, _nothing, _away, _nothing])

    def deliver(due_by):
        next(answers)(due_by)

    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", deliver)

    assert run(waits=5) == [10, 20, 1, 10, 1]

    assert len(caplog.records) == 2


def _away(due_by):
    raise OperationalError


def _nothing(due_by):
    return None


class Impatient(threading.Event):
    """An event that nobody ever has to wait for."""

    def wait(self, timeout=None):
        assert self.is_set()
        return True


def test_a_notice_that_is_written_during_a_round_starts_the_next(notice, monkeypatch):
    written = Impatient()
    rounds = []

    def deliver(due_by):
        rounds.append(due_by)
        written.set()
        if len(rounds) == 3:
            raise Stop

    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", deliver)
    with pytest.raises(Stop):
        DeliveryThread(written).run()

    assert len(rounds) == 3


def test_its_thread_does_not_keep_a_process_alive(monkeypatch):
    started = []

    def note(thread):
        started.append(thread)

    monkeypatch.setattr(threading.Thread, "start", note)

    DeliveryThread().start()

    [thread] = started
    assert thread.daemon
    assert thread.name == "logout-delivery"


def test_neither_tests_nor_commands_have_one():
    assert "logout-delivery" not in {thread.name for thread in threading.enumerate()}

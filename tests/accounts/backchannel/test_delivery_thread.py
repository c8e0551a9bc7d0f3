"""The thread of each server process: awake at once, patient otherwise, and hard to stop."""

import logging
import threading

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.backchannel.delivery_thread import DeliveryThread
from accounts.models import Session


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


def test_it_begins_with_what_an_earlier_process_left(alice, told, enter, receiver):
    enter(alice, told)
    Session.objects.all().end(now=timezone.now(), reason="logged_out")

    assert run(waits=1) == [5]

    assert len(receiver.heard) == 1


def test_it_looks_every_few_seconds(db):
    assert run(waits=3) == [5, 5, 5]


def test_it_gives_its_connection_back_between_rounds(threaded_database):
    run(waits=1)

    assert connection.connection is None


def test_without_the_database_it_goes_on_and_says_so_once(monkeypatch, caplog):
    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", _away)
    caplog.set_level(logging.INFO)

    assert run(waits=7) == [10, 20, 40, 60, 60, 60, 60]

    [record] = caplog.records
    assert record.getMessage() == "Logout notices can't be delivered; this goes on being tried."


def test_it_is_as_quick_as_before_once_the_database_is_back(db, monkeypatch, caplog):
    answers = iter([_away, _away, _nothing, _away, _nothing])

    def deliver(due_by):
        next(answers)(due_by)

    monkeypatch.setattr("accounts.backchannel.delivery_thread.deliver_due", deliver)

    assert run(waits=5) == [10, 20, 5, 10, 5]

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


def test_a_notice_that_is_written_during_a_round_starts_the_next(monkeypatch):
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

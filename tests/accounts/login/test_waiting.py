"""Waiting for another request: for how long, how many may, and without a connection."""

import threading
import time

import pytest
from django.db import connections

from accounts.login import waiting
from accounts.login.waiting import wait_for

WAITERS = waiting._waiters  # noqa: SLF001 - a waiter that is counted is seen nowhere else
NEVER = 30
"""Seconds that no test waits."""


@pytest.fixture(autouse=True)
def nobody_waits():
    """Nobody waits before or after a test: a waiter that isn't counted off would stay for good."""
    assert not WAITERS
    yield
    assert not WAITERS


@pytest.fixture
def waiters():
    """Let threads wait until the test has ended, and count those whom there is room for."""
    release, threads = threading.Event(), []

    def look():
        return release.is_set() or None

    def add(key, times=1):
        for _ in range(times):
            thread = threading.Thread(target=wait_for, args=(look, key), kwargs={"seconds": NEVER})
            thread.start()
            threads.append(thread)
        until(lambda: WAITERS[key] == times)

    yield add
    release.set()
    for thread in threads:
        thread.join()


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def looks(key, seconds=0.3, share=1.0):
    """Wait for something that doesn't come; return how often this looked."""
    seen = []
    assert wait_for(lambda: seen.append(1), key, seconds=seconds, share=share) is None
    return len(seen)


def test_what_is_there_is_found_at_once(db):
    started = time.monotonic()

    assert wait_for(lambda: "found", "key", seconds=NEVER) == "found"
    assert time.monotonic() - started < 1


def test_what_comes_later_is_found_later(db):
    answers = iter([None, None, "found"])

    assert wait_for(lambda: next(answers), "key", seconds=NEVER) == "found"


def test_what_is_found_may_be_false(db):
    answers = iter([""])

    assert wait_for(lambda: next(answers), "key", seconds=0.3) == ""


def test_what_never_comes_is_looked_for_until_the_time_is_over(db):
    started = time.monotonic()

    assert 3 <= looks("key") <= 8
    assert 0.3 <= time.monotonic() - started < 1


def test_without_patience_it_looks_once(db):
    assert looks("key", seconds=0) == 1


def test_an_error_ends_the_waiting(db):
    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        wait_for(fail, "key", seconds=NEVER)


@pytest.mark.parametrize("already", [7, 8])
def test_at_most_eight_wait_for_one_key(db, settings, waiters, already):
    settings.THREADS_PER_WORKER = 400
    waiters("key", already)

    assert (looks("key") > 1) is (already < 8)
    assert looks("another key") > 1


@pytest.mark.parametrize("already", [2, 3])
def test_at_most_a_quarter_of_the_threads_wait(db, settings, waiters, already):
    settings.THREADS_PER_WORKER = 12
    for number in range(already):
        waiters(f"key {number}")

    assert (looks("another key") > 1) is (already < 3)


@pytest.mark.parametrize("already", [1, 2])
def test_who_may_take_a_share_leaves_room_for_the_others(db, settings, waiters, already):
    settings.THREADS_PER_WORKER = 16
    for number in range(already):
        waiters(f"key {number}")

    assert (looks("another key", share=0.5) > 1) is (already < 2)
    assert looks("another key") > 1


def test_who_may_not_wait_finds_what_is_there(db, settings, waiters):
    settings.THREADS_PER_WORKER = 4
    waiters("key")

    assert wait_for(lambda: "found", "key", seconds=NEVER) == "found"
    assert looks("key") == 1


def test_by_default_eight_of_a_process_wait(settings):
    assert settings.THREADS_PER_WORKER // 4 == 8


def test_no_connection_is_held_while_it_waits(threaded_database):
    here, ended, samples = connections["default"], threading.Event(), []

    def watch():
        while not ended.wait(0.005):
            samples.append(here.connection is None)

    def look():
        here.ensure_connection()

    watcher = threading.Thread(target=watch)
    watcher.start()
    wait_for(look, "key", seconds=0.5)
    ended.set()
    watcher.join()

    # It holds one only for the moments in which it looks.
    assert samples.count(True) > len(samples) / 2

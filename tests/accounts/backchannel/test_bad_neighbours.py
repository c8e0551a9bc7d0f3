"""An application that answers badly, or a pool that can't sign, holds up nobody else."""

import logging
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.backchannel.delivery import deliver
from accounts.backchannel.notices import Delivered, deliver_due
from accounts.models import LogoutNotice, Session
from tests.support import builders
from userpools.models import SigningKey, UserPool

NOBODY = "http://127.0.0.1:1/"
DRIPPING = (b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 15)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("accounts.backchannel.delivery.TIMEOUT_SECONDS", 0.5)


@pytest.fixture(autouse=True)
def many_connections(threaded_database):
    """Applications answer in threads of their own, from which a test changes rows."""


@pytest.fixture
def bad(acme):
    """Make an application of Acme's that is to be told at an address."""

    def make(uri):
        application = builders.make_application(acme.pool, client_id="acme-bad")
        application.backchannel_logout_uri = uri
        application.save()
        return application

    return make


def end_all():
    Session.objects.filter(ended_at=None).end(now=timezone.now(), reason="logged_out")


def notices_of(application):
    return LogoutNotice.objects.filter(session__application=application)


@pytest.mark.usefixtures("impatient")
def test_a_dripping_application_is_left_when_its_time_is_up(raw_server, bad, alice, enter):
    enter(alice, bad(raw_server(*DRIPPING, pause=0.2)))
    end_all()
    began = time.monotonic()

    assert deliver_due(due_by=timezone.now()) == Delivered(delivered=0, failed=1)

    assert time.monotonic() - began < 2
    assert LogoutNotice.objects.get().failure == "timed_out"


def test_an_attempt_is_settled_while_another_is_under_way(bad, told, alice, enter, receiver):
    """The one answers once the other's notice is settled, and not before."""
    application = bad(receiver.url + "/bad")
    settled = []

    def hold():
        if receiver.heard[-1][0].endswith("/bad"):
            settled.append(_becomes(lambda: notices_of(told).get().delivered_at))

    enter(alice, application)
    enter(alice, told)
    end_all()
    receiver.listeners.append(hold)

    assert deliver_due(due_by=timezone.now()).delivered == 2

    assert settled == [True]


def test_what_is_written_during_a_round_goes_along(bad, told, alice, enter, receiver):
    application = bad(receiver.url + "/bad")
    settled = []

    def hold():
        if receiver.heard[-1][0].endswith("/bad"):
            enter(alice, told)
            end_all()
            settled.append(_becomes(lambda: notices_of(told).get().delivered_at))

    enter(alice, application)
    end_all()
    receiver.listeners.append(hold)

    deliver_due(due_by=timezone.now())

    assert settled == [True]


def _becomes(condition):
    """Wait for it, on a thread and a connection of the receiver's; tell whether it came true."""
    deadline = time.monotonic() + 5
    try:
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        return bool(condition())
    finally:
        connection.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answer", [(), DRIPPING], ids=["silent", "dripping"])
def test_a_dead_application_eats_no_threads(
    raw_server, bad, told, alice, enter, monkeypatch, answer
):
    asked = []

    def deliver_and_note(uri, token):
        asked.append(uri)
        return deliver(uri, token)

    monkeypatch.setattr("accounts.backchannel.notices.deliver", deliver_and_note)
    dead = bad(raw_server(*answer, pause=0.2))
    for _ in range(60):
        enter(alice, dead)
    end_all()
    enter(alice, told)
    end_all()

    assert deliver_due(due_by=timezone.now()) == Delivered(delivered=1, failed=4)

    assert asked.count(dead.backchannel_logout_uri) == 4
    assert asked.count(told.backchannel_logout_uri) == 1


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 10), (1, 60), (4, 6 * 3600), (5, 6 * 3600)])
def test_what_is_due_at_a_dead_application_waits_as_long(bad, alice, enter, attempts, seconds):
    dead = bad(NOBODY)
    for _ in range(10):
        enter(alice, dead)
    end_all()
    asked = notices_of(dead).order_by("due_at", "pk")[:4]
    LogoutNotice.objects.filter(pk__in=[notice.pk for notice in asked]).update(attempts=attempts)
    now = timezone.now()

    assert deliver_due(due_by=now) == Delivered(delivered=0, failed=4)

    others = notices_of(dead).filter(attempts=0, failure="connect_failed")
    assert others.count() == 6
    for notice in others:
        assert 0 <= (notice.due_at - now).total_seconds() - seconds < 5


def test_what_was_put_off_for_a_day_is_given_up(bad, alice, enter):
    dead = bad(NOBODY)
    for _ in range(10):
        enter(alice, dead)
    end_all()
    now = timezone.now()
    LogoutNotice.objects.update(created_at=now - timedelta(days=1, seconds=1))

    deliver_due(due_by=now)

    assert notices_of(dead).filter(attempts=0, due_at=None, failure="connect_failed").count() == 6
    assert notices_of(dead).filter(attempts=1, due_at__gt=now).count() == 4


def test_an_application_that_refuses_one_notice_is_told_of_the_others(told, alice, enter, receiver):
    for _ in range(10):
        enter(alice, told)
    end_all()
    receiver.answer(400)

    assert deliver_due(due_by=timezone.now()) == Delivered(delivered=9, failed=1)


def test_an_application_is_asked_a_few_things_at_a_time(told, alice, enter, receiver):
    for _ in range(30):
        enter(alice, told)
    end_all()
    asked, most = [], []

    def count():
        asked.append(None)
        most.append(len(asked))
        time.sleep(0.02)
        asked.pop()

    receiver.listeners.append(count)

    assert deliver_due(due_by=timezone.now()).delivered == 30

    assert max(most) <= 4


def test_a_pool_has_half_of_the_threads_at_most(acme, globex, alice, enter, receiver):
    """Many applications of Acme's hold until Globex's has been told."""
    for number in range(8):
        application = builders.make_application(acme.pool, client_id=f"acme-{number}")
        application.backchannel_logout_uri = receiver.url + "/acme"
        application.save()
        for _ in range(4):
            enter(alice, application)
    end_all()
    _leave_globex(globex, receiver.url + "/globex")
    told = threading.Event()

    def hold():
        if receiver.heard[-1][0].endswith("/globex"):
            told.set()
        told.wait(3)

    receiver.listeners.append(hold)

    deliver_due(due_by=timezone.now())

    assert [path for path, *_ in receiver.heard[:17]].count("/logged-out/globex") == 1


def test_a_pool_that_cannot_sign_holds_up_nobody(
    acme, globex, told, alice, enter, receiver, caplog
):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        enter(alice, told)
    end_all()
    _leave_globex(globex, receiver.url)
    _poison(acme.pool)

    assert deliver_due(due_by=timezone.now()) == Delivered(delivered=1, failed=1)

    assert notices_of(globex.application).get().delivered_at
    assert set(notices_of(told).values_list("failure", flat=True)) == {"not_signed"}
    assert not notices_of(told).filter(due_at__lte=timezone.now()).exists()
    assert [record.getMessage() for record in caplog.records] == [
        "The logout token for the application acme-shop can't be signed: DecryptionError."
    ]


def test_what_is_never_signed_is_given_up(acme, told, alice, enter):
    enter(alice, told)
    end_all()
    _poison(acme.pool)
    LogoutNotice.objects.update(attempts=5)

    deliver_due(due_by=timezone.now())

    notice = LogoutNotice.objects.get()
    assert (notice.attempts, notice.due_at, notice.failure) == (6, None, "not_signed")


def _leave_globex(globex, uri):
    """Somebody logs out of the application of the other tenant, which is told at this address."""
    globex.application.backchannel_logout_uri = uri
    globex.application.save()
    Session.objects.create(
        pool=globex.pool,
        user=builders.make_user(globex.pool),
        application=globex.application,
        identity_source=globex.source,
        way="mini_program",
        auth_time=timezone.now(),
    )
    end_all()


def _poison(pool):
    """Its private keys are encrypted with a key that is lost, and in nobody's memory."""
    lost = b"\0" * 64
    SigningKey.objects.filter(pool=pool).update(private_jwk_ciphertext=lost)
    UserPool.objects.filter(pk=pool.pk).update(signing_keys_version=F("signing_keys_version") + 1)

"""A source's health under load: many calls end at once, and none holds a connection."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from identity_sources.connection import try_connection
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource, SourceFailure
from identity_sources.sandbox import Sandbox
from identity_sources.sandbox.faults import refusal
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.wechat_calls import (
    MINUTE,
    NOW,
    REFUSED,
    SECOND,
    SUCCESS,
    fails_since,
    failures,
    note,
)

RACERS = 50


@pytest.fixture
def held(threaded_database, monkeypatch):
    """Whether a connection was held in each call to WeChat."""
    found, answer = [], Sandbox.handle

    def handle(self, request):
        found.append(connection.connection is not None)
        return answer(self, request)

    monkeypatch.setattr(Sandbox, "handle", handle)
    return found


def test_no_connection_is_held_while_a_failing_source_asks_wechat(held, acme, log_in):
    for call in ("jscode2session", "stable_token"):
        sandbox().script(call, refusal(40164), times=4)

    log_in()  # fails
    log_in()  # fails as before
    try_connection(IdentitySource.objects.get())  # two calls, one after the other
    try_connection(IdentitySource.objects.get())
    log_in(phone_code=builders.get_phone_number())  # heals, then asks twice more
    log_in(phone_code=builders.get_phone_number("bob"))

    assert len(held) >= 9
    assert not any(held)


def test_fifty_refusals_at_once_make_one_failure(threaded_database, acme, together):
    moments = [timezone.now() + number * timedelta(milliseconds=1) for number in range(RACERS)]

    together(lambda moment: note(acme.source, REFUSED, now=moment), moments)

    (row,) = SourceFailure.objects.all()
    assert row.since in moments
    assert fails_since(acme.source) == row.since == row.last_at


def test_fifty_successes_at_once_heal_once(threaded_database, acme, together):
    note(acme.source, REFUSED)

    together(lambda _: note(acme.source, SUCCESS, now=NOW + SECOND), list(range(RACERS)))

    assert (fails_since(acme.source), failures(acme.source)) == (None, {})


def test_failing_and_healing_at_once_leave_no_half(threaded_database, acme, together):
    """There is a failure, or the source works; never one without the other."""
    calls = ("jscode2session", "stable_token", "getuserphonenumber")
    records = [replace(record, call=call) for call in calls for record in (REFUSED, SUCCESS)] * 6

    for minute in range(5):
        moment = NOW + 2 * minute * MINUTE
        together(lambda record, moment=moment: note(acme.source, record, now=moment), records)

        assert bool(fails_since(acme.source)) == SourceFailure.objects.exists()


def log_in_alone(person):
    fields = {"client_id": "acme-shop", "code": builders.wx_login(person)}
    return GuardedClient().post(LOGIN_URL, fields, content_type="application/json")


def test_many_logins_of_a_failing_source_all_get_their_answer(threaded_database, acme, together):
    sandbox().script("jscode2session", refusal(40125), times=RACERS)
    people = ["alice", "bob"] * (RACERS // 2)

    answers = together(log_in_alone, people)

    assert {answer.json()["error"] for answer in answers} == {"identity_source_misconfigured"}
    assert SourceFailure.objects.count() == 1

    answers = together(log_in_alone, people)

    assert {answer.status_code for answer in answers} == {200}
    assert (fails_since(acme.source), failures(acme.source)) == (None, {})

"""Limits of refused attempts: per address, per application, and for nobody else."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches

from accounts.login import throttles
from accounts.login.throttles import Counter, FullCounters, LoginThrottle
from config.kernel.errors import InvalidClient, ServiceUnavailable, TooManyRequests
from identity_sources.sandbox import Fault, FaultKind
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.client import LOGIN_URL
from tests.support.records import count_rows, events

ANN = "203.0.113.1"
BEN = "203.0.113.2"
PROXY = "10.0.0.1"
# In the middle of a minute, so that 30 s remain of it.
NOW = datetime(2026, 7, 1, 12, 0, 30, tzinfo=UTC)
ACCEPTED = 200
REFUSED = 401
THROTTLED = 429


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def limits(settings):
    """Three per address, six per application; a test may say otherwise."""
    settings.THROTTLE_LOGIN_PER_ADDRESS = "3/min"
    settings.THROTTLE_LOGIN_PER_APPLICATION = "6/min"
    return settings


@pytest.fixture
def knock(client):
    """Post to the login door from an address; return the status."""

    def post(address=ANN, *, client_id="acme-shop", code=None, forwarded=None):
        body = {"client_id": client_id, "code": code or builders.wx_login()}
        headers = {"x-forwarded-for": forwarded} if forwarded else {}
        response = client.post(
            LOGIN_URL,
            body,
            content_type="application/json",
            headers=headers,
            REMOTE_ADDR=address,
        )
        return response.status_code

    return post


def refuse(knock, address=ANN, *, times=3, client_id="acme-shop", forwarded=None):
    """Have attempts refused from an address."""
    statuses = [
        knock(address, client_id=client_id, code=f"never-issued-{n}", forwarded=forwarded)
        for n in range(times)
    ]
    assert set(statuses) <= {400, 401}


# Per address


def test_an_address_waits_once_its_refusals_reach_the_limit(acme, knock):
    refuse(knock, times=2)
    assert knock() == ACCEPTED
    refuse(knock, times=1)

    assert knock() == THROTTLED
    assert knock(client_id="nobody") == THROTTLED
    assert knock(BEN) == ACCEPTED


def test_a_throttled_answer_says_when_to_come_back(acme, client, knock, wechat):
    refuse(knock)
    asked = len(wechat.calls)

    response = client.post(
        LOGIN_URL,
        {"client_id": "acme-shop", "code": builders.wx_login()},
        content_type="application/json",
        REMOTE_ADDR=ANN,
    )

    assert response.status_code == THROTTLED
    assert response.json() == {
        "error": "too_many_requests",
        "error_description": "Too many refused attempts. Wait before trying again.",
        "request_id": response["X-Request-ID"],
    }
    assert response["Retry-After"] == "30"
    assert len(wechat.calls) == asked


def test_after_the_time_that_was_said_the_address_may_come_again(acme, knock, clock):
    refuse(knock)
    clock.shift(timedelta(seconds=29))
    early = knock()
    clock.shift(timedelta(seconds=1))

    assert (early, knock()) == (THROTTLED, ACCEPTED)


def test_a_throttled_attempt_leaves_no_row_and_does_not_count(acme, knock, clock):
    refuse(knock)
    before = count_rows()

    assert [knock() for _ in range(10)] == [THROTTLED] * 10

    assert count_rows() == before
    assert len(events()) == 3
    clock.shift(timedelta(seconds=30))
    assert knock() == ACCEPTED


def test_successes_do_not_count(acme, knock):
    assert [knock() for _ in range(20)] == [ACCEPTED] * 20


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (wechat_refuses(40125), 502),
        (wechat_refuses(41008), 500),
        (wechat_refuses(45009), 503),
        (Fault(FaultKind.HTML_PAGE), 503),
        (Fault(FaultKind.READ_TIMEOUT), 503),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_failures_that_are_not_the_callers_do_not_count(acme, knock, wechat, fault, status):
    wechat.script(fault, times=10)
    assert [knock() for _ in range(10)] == [status] * 10

    assert knock() == ACCEPTED


def test_a_malformed_body_does_not_count(acme, client, knock):
    for _ in range(10):
        client.post(LOGIN_URL, {"code": 7}, content_type="application/json", REMOTE_ADDR=ANN)

    assert knock() == ACCEPTED


# Per application


def test_an_application_at_its_limit_makes_only_those_wait_who_were_refused(acme, knock):
    refuse(knock, ANN, times=2)
    refuse(knock, BEN, times=2)
    refuse(knock, "203.0.113.3", times=2)

    assert knock(ANN) == knock(BEN) == THROTTLED
    assert [knock("198.51.100.7") for _ in range(5)] == [ACCEPTED] * 5


def test_an_address_that_is_refused_at_such_an_application_waits_from_then_on(acme, knock):
    for n in range(3):
        refuse(knock, f"203.0.113.{n}", times=2)

    refuse(knock, "198.51.100.7", times=1)

    assert knock("198.51.100.7") == THROTTLED


def test_junk_for_one_application_locks_nobody_out_of_another(acme, globex, limits, knock):
    limits.THROTTLE_LOGIN_PER_ADDRESS = "100/min"
    refuse(knock, ANN, times=6)

    assert knock(ANN) == THROTTLED
    code = builders.wx_login("alice", builders.SECOND_MINI_APP_ID)
    assert knock(ANN, client_id="globex-shop", code=code) == ACCEPTED


def test_junk_for_made_up_applications_counts_for_its_address(acme, knock):
    for n in range(3):
        assert knock(ANN, client_id=f"nobody-{n}") == REFUSED

    assert knock(ANN) == THROTTLED
    assert knock(BEN) == ACCEPTED


# Switched off


def test_without_a_limit_per_address_only_the_applications_counts(acme, limits, knock):
    limits.THROTTLE_LOGIN_PER_ADDRESS = ""
    refuse(knock, ANN, times=5)
    assert knock(ANN) == ACCEPTED

    refuse(knock, ANN, times=1)

    assert knock(ANN) == THROTTLED
    assert knock(BEN) == ACCEPTED


def test_without_a_limit_per_application_only_the_addresses_counts(acme, limits, knock):
    limits.THROTTLE_LOGIN_PER_APPLICATION = ""
    for n in range(10):
        refuse(knock, f"203.0.113.{n}", times=2)

    assert knock("203.0.113.1") == ACCEPTED


def test_without_any_limit_nobody_waits(acme, limits, knock):
    limits.THROTTLE_LOGIN_PER_ADDRESS = limits.THROTTLE_LOGIN_PER_APPLICATION = ""
    refuse(knock, times=50)

    assert knock() == ACCEPTED


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [("3/s", 1), ("3/min", 60), ("3/minute", 60), ("3/hour", 3600), ("3/day", 86400)],
)
def test_a_rate_is_counted_over_its_period(acme, limits, knock, clock, rate, seconds):
    limits.THROTTLE_LOGIN_PER_ADDRESS = rate
    clock.move_to(datetime(2026, 7, 1, tzinfo=UTC))
    refuse(knock)
    assert knock() == THROTTLED
    clock.shift(timedelta(seconds=seconds - 1))
    last = knock()
    clock.shift(timedelta(seconds=1))

    assert (last, knock()) == (THROTTLED, ACCEPTED)


def test_a_long_period_does_not_forget_after_a_pause(acme, limits, knock, clock):
    assert_remembers_for_an_hour(limits, knock, clock)


def test_a_long_period_does_not_forget_after_a_pause_in_the_database_either(
    acme, limits, knock, clock, database_cache
):
    assert_remembers_for_an_hour(limits, knock, clock)


def assert_remembers_for_an_hour(limits, knock, clock):
    limits.THROTTLE_LOGIN_PER_ADDRESS = "3/hour"
    for minute in (0, 10, 20):
        clock.move_to(datetime(2026, 7, 1, 0, minute, tzinfo=UTC))
        refuse(knock, times=1)
    clock.move_to(datetime(2026, 7, 1, 0, 59, 59, tzinfo=UTC))

    assert knock() == THROTTLED


def test_the_database_cache_counts_as_well(acme, knock, database_cache):
    refuse(knock)

    assert (knock(), knock(BEN)) == (THROTTLED, ACCEPTED)


def test_losing_the_cache_only_starts_the_count_anew(acme, knock):
    refuse(knock)
    caches["default"].clear()

    assert knock() == ACCEPTED


# Addresses


def test_an_ipv6_site_is_one_address(acme, knock):
    refuse(knock, "2001:db8:0:1::1", times=1)
    refuse(knock, "2001:db8:0:1:ffff::2", times=1)
    refuse(knock, "2001:0db8:0000:0001:0000:0000:0000:0003", times=1)

    assert knock("2001:db8:0:1::4") == THROTTLED
    assert knock("2001:db8:0:2::4") == ACCEPTED


def test_an_ipv4_address_in_ipv6_notation_is_the_same_address(acme, knock):
    refuse(knock, f"::ffff:{ANN}")

    assert knock(ANN) == THROTTLED
    assert knock(BEN) == ACCEPTED
    assert knock(f"::ffff:{BEN}") == ACCEPTED


@pytest.mark.parametrize("address", ["", "unix:", "not an address"])
def test_an_address_that_is_none_does_not_break_the_door(acme, knock, address):
    refuse(knock, address, times=1)

    assert knock(address) == ACCEPTED


def test_a_strangers_forwarding_header_does_not_count(acme, knock):
    for n in range(3):
        refuse(knock, ANN, times=1, forwarded=f"198.51.100.{n}")

    assert knock(ANN, forwarded="198.51.100.77") == THROTTLED
    assert knock("198.51.100.1") == ACCEPTED


def test_behind_a_trusted_proxy_the_callers_address_counts(acme, settings, knock):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    refuse(knock, PROXY, forwarded=ANN)

    assert knock(PROXY, forwarded=ANN) == THROTTLED
    assert knock(PROXY, forwarded=BEN) == ACCEPTED
    assert knock(ANN) == THROTTLED


def test_what_a_caller_wrote_before_the_proxy_did_does_not_count(acme, settings, knock):
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/8")]
    for n in range(3):
        refuse(knock, PROXY, times=1, forwarded=f"198.51.100.{n}, {ANN}, 10.0.0.2")

    assert knock(PROXY, forwarded=f"198.51.100.77, {ANN}") == THROTTLED
    assert knock(PROXY, forwarded=f"{ANN}, {BEN}") == ACCEPTED


# The counting itself


def test_what_counts_is_decided_by_the_refusal():
    throttle = LoginThrottle(address=ANN, client_id="acme-shop")

    def refuse_with(error):
        with pytest.raises(type(error)), throttle.guard():
            raise error

    for _ in range(3):
        refuse_with(ServiceUnavailable())
    throttle.check()
    for _ in range(3):
        refuse_with(InvalidClient())
    with pytest.raises(TooManyRequests):
        throttle.check()


def test_a_success_counts_nothing():
    throttle = LoginThrottle(address=ANN, client_id="acme-shop")

    for _ in range(10):
        with throttle.guard():
            pass
    throttle.check()


def test_a_client_id_of_any_characters_can_be_counted():
    throttle = LoginThrottle(address=ANN, client_id="\ud800 \n" * 1000)

    throttle.count_refusal()

    assert all(counter.key.isprintable() for counter in throttle.limits)
    assert all(len(counter.key) < 200 for counter in throttle.limits)


def test_concurrent_refusals_are_all_counted(limits, together):
    limits.THROTTLE_LOGIN_PER_ADDRESS = "20/min"
    throttle = LoginThrottle(address=ANN, client_id="acme-shop")

    together(lambda _: throttle.count_refusal(), [0] * 20)

    with pytest.raises(TooManyRequests):
        throttle.check()


# What an attempt asks the cache


@pytest.fixture
def asked(monkeypatch):
    """The calls of the cache."""
    calls = []
    for name in ("get", "get_many"):
        ask = getattr(caches["default"], name)

        def note(*arguments, ask=ask, name=name, **named):
            calls.append(name)
            return ask(*arguments, **named)

        monkeypatch.setattr(caches["default"], name, note)
    return calls


@pytest.fixture
def elsewhere():
    """The full counters as another process knows them."""
    return FullCounters()


def counter(number=0, rate="3/min"):
    return Counter("address", f"198.51.100.{number}", rate)


def test_an_attempt_far_from_a_limit_asks_the_cache_nothing(asked, monkeypatch):
    monkeypatch.setattr(throttles, "FULL_READ_SECONDS", 60)
    throttle = LoginThrottle(address=ANN, client_id="acme-shop")
    throttle.check()
    asked.clear()

    for _ in range(3):
        throttle.check()

    assert asked == []


def test_another_process_learns_of_a_full_counter_a_moment_later(elsewhere, monkeypatch):
    monkeypatch.setattr(throttles, "FULL_READ_SECONDS", 60)
    assert not elsewhere.has_any({counter().key})
    throttles.full_counters.add(counter())
    assert throttles.full_counters.has_any({counter().key})
    assert not elsewhere.has_any({counter().key})

    monkeypatch.setattr(throttles, "FULL_READ_SECONDS", 0)

    assert elsewhere.has_any({counter().key})
    assert not elsewhere.has_any({counter(1).key})


def test_the_limit_of_another_process_holds_here(acme, knock, monkeypatch):
    monkeypatch.setattr(throttles, "full_counters", FullCounters())
    refuse(knock)
    monkeypatch.setattr(throttles, "full_counters", FullCounters())

    assert knock() == THROTTLED


def test_a_counter_that_was_lost_is_added_with_the_next_refusal(limits, monkeypatch):
    throttle = LoginThrottle(address=ANN, client_id="acme-shop")
    for _ in range(3):
        throttle.count_refusal()
    caches["default"].delete("refused:full")
    monkeypatch.setattr(throttles, "full_counters", FullCounters())
    throttle.check()

    throttle.count_refusal()

    with pytest.raises(TooManyRequests):
        throttle.check()


def test_counters_whose_time_is_over_are_dropped(elsewhere, clock):
    elsewhere.add(counter())
    clock.shift(timedelta(minutes=1))

    elsewhere.add(counter(1))

    assert set(caches["default"].get("refused:full")) == {counter(1).key}


def test_with_very_many_full_counters_each_attempt_looks_at_its_own(
    limits, elsewhere, monkeypatch, asked
):
    monkeypatch.setattr(throttles, "MOST_FULL", 2)
    for number in range(3):
        elsewhere.add(counter(number))
    asked.clear()

    LoginThrottle(address=ANN, client_id="acme-shop").check()

    assert len(caches["default"].get("refused:full")) == 2
    assert "get_many" in asked


def test_a_process_knows_its_own_full_counter_whatever_it_reads(elsewhere, monkeypatch):
    elsewhere.add(counter())
    caches["default"].delete("refused:full")
    monkeypatch.setattr(throttles, "FULL_READ_SECONDS", 0)

    assert elsewhere.has_any({counter().key})


def test_without_the_cache_nobody_is_let_in_unchecked(monkeypatch):
    def fail(*_arguments):
        raise ConnectionError

    monkeypatch.setattr(throttles, "full_counters", FullCounters())
    monkeypatch.setattr(caches["default"], "get", fail)

    for _ in range(2):
        with pytest.raises(ConnectionError):
            LoginThrottle(address=ANN, client_id="acme-shop").check()

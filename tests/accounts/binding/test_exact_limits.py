"""Places for tries: exactly so many within an hour, however many come at once."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.binding.exact_limits import count_try, uncount_try
from accounts.models import Tally
from config.kernel.errors import TooManyRequests

NOON = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)


def take(pool, target="alice@example.com", *, kind="guess", limit=2, now=NOON):
    count_try(pool.pk, kind, target, limit=limit, now=now)


def is_refused(pool, **changes):
    with pytest.raises(TooManyRequests) as refusal:
        take(pool, **changes)
    return refusal.value.retry_after


def test_after_so_many_tries_the_next_hour_is_waited_for(acme):
    take(acme.pool)
    take(acme.pool)

    assert is_refused(acme.pool) == 50 * 60 + 1
    take(acme.pool, now=NOON + timedelta(minutes=50))


def test_targets_kinds_and_pools_are_counted_apart(acme, globex):
    take(acme.pool, limit=1)

    take(acme.pool, target="bob@example.com", limit=1)
    take(acme.pool, kind="mail", limit=1)
    take(globex.pool, limit=1)
    assert is_refused(acme.pool, limit=1)


def test_a_place_that_is_given_back_is_there_again(acme):
    take(acme.pool, limit=1)
    uncount_try(acme.pool.pk, "guess", "alice@example.com", now=NOON)

    take(acme.pool, limit=1)
    assert is_refused(acme.pool, limit=1)


def test_giving_back_what_was_never_taken_makes_no_more_places(acme):
    uncount_try(acme.pool.pk, "guess", "alice@example.com", now=NOON)

    take(acme.pool, limit=1)
    assert is_refused(acme.pool, limit=1)


def test_whose_address_it_was_is_not_to_be_read(acme):
    take(acme.pool)

    assert "alice" not in str(Tally.objects.values().get())


def test_of_many_at_once_exactly_so_many_find_a_place(threaded_database, acme, together):
    def try_it(_number):
        try:
            take(acme.pool, limit=5)
        except TooManyRequests:
            return False
        return True

    assert together(try_it, range(20)).count(True) == 5

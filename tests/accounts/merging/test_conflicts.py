"""Holding what no rule may decide: the review list, and pairs that are kept apart."""

import itertools
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.merging import conflicts as review
from accounts.merging.merge import merge_by_hand
from accounts.models import Conflict
from tests.support import builders
from tests.support.records import conflicts

NOW = timezone.now()
LATER = NOW + timedelta(days=1)


@pytest.fixture
def users(acme):
    return [builders.make_user(acme.pool, sub=name) for name in "abc"]


def hold(acme, first, second, now=NOW):
    review.hold_pair(first, second, acme.source, now=now)


@pytest.mark.parametrize("order", [1, -1])
def test_a_pair_stands_on_the_list_once_the_older_user_first(acme, users, order):
    pair = users[:2][::order]

    hold(acme, *pair)
    hold(acme, *pair[::-1], now=LATER)

    assert conflicts() == [("a", "b", "unionid_of_another_user", "open", 2)]
    row = Conflict.objects.get()
    assert (row.first_seen_at, row.last_seen_at, row.identity_source) == (NOW, LATER, acme.source)


def test_each_openid_that_cant_be_theirs_stands_on_the_list_once(acme, users):
    for openid in ("o1", "o2", "o1"):
        review.hold_openid(users[0], openid, acme.source, now=NOW)

    assert conflicts() == [
        ("a", None, "second_openid", "open", 2),
        ("a", None, "second_openid", "open", 1),
    ]
    assert set(Conflict.objects.values_list("app_id", "openid")) == {
        (acme.source.app_id, "o1"),
        (acme.source.app_id, "o2"),
    }


def test_two_pairs_are_two_conflicts(acme, users):
    for pair in itertools.combinations(users, 2):
        hold(acme, *pair)

    assert len(conflicts()) == 3


def test_a_pair_isnt_held_with_itself(acme, users):
    with pytest.raises(IntegrityError), transaction.atomic():
        hold(acme, users[0], users[0])


def test_keeping_apart_needs_no_conflict_before(users):
    assert not review.are_apart(*users[:2])

    review.keep_apart(users[1], users[0], now=NOW)

    assert review.are_apart(*users[:2])
    assert review.are_apart(*users[1::-1])
    assert not review.are_apart(users[0], users[2])


def test_a_pair_that_is_kept_apart_stays_so_however_often_it_is_seen(acme, users):
    hold(acme, *users[:2])
    review.keep_apart(*users[:2], now=NOW)

    hold(acme, *users[:2], now=LATER)

    assert conflicts() == [("a", "b", "unionid_of_another_user", "apart", 2)]


def test_from_whom_the_merged_user_was_kept_apart_the_survivor_is(users, operator):
    a, b, c = users
    review.keep_apart(b, c, now=NOW)

    merge_by_hand(a, b, operator=operator, now=NOW)

    assert review.are_apart(a, c)


def test_what_else_was_open_about_the_merged_user_is_dropped(acme, users, operator):
    a, b, c = users
    hold(acme, b, c)
    hold(acme, a, c)
    review.hold_openid(b, "o1", acme.source, now=NOW)

    merge_by_hand(a, b, operator=operator, now=NOW)

    assert conflicts() == [("a", "c", "unionid_of_another_user", "open", 1)]


def test_a_survivor_already_kept_apart_stays_so(users, operator):
    a, b, c = users
    review.keep_apart(a, c, now=NOW)
    review.keep_apart(b, c, now=NOW)

    merge_by_hand(a, b, operator=operator, now=NOW)

    assert review.are_apart(a, c)
    assert {state for *_, state, _ in conflicts()} == {"apart"}

"""Two users side by side: what the page foretells is what the merge then does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging import conflicts
from accounts.merging.comparison import LOGINS_SHOWN, compare, side_of
from accounts.merging.merge import DETAILS, CannotMerge, Obstacle, merge_by_hand
from accounts.models import User
from tests.support import builders
from tests.support.people import make_event, make_pair, make_person, make_session

VERIFIED_AT = {detail.value: detail.verified_at for detail in DETAILS}


def verified_of(name):
    """What makes a detail count, where it has to be verified."""
    return {VERIFIED_AT[name]: timezone.now()} if VERIFIED_AT[name] else {}


def test_two_openids_of_one_appid_cant_be_merged_and_the_comparison_says_so(acme):
    first, second = make_person(acme, 1), make_person(acme, 2)

    comparison = compare(first, second)

    assert comparison.obstacles == [Obstacle.TWO_UNIONIDS, Obstacle.TWO_OPENIDS]
    assert not comparison.can_merge
    with pytest.raises(CannotMerge):
        merge_by_hand(first, second, operator=builders.make_operator("ada"), now=timezone.now())


@pytest.mark.parametrize("status", [User.Status.SUSPENDED, User.Status.CLOSED])
def test_nobody_who_isnt_active_can_be_merged(acme, status):
    user, other = make_pair(acme, status=status)

    assert compare(user, other).obstacles == [Obstacle.NOT_ACTIVE]
    assert not compare(user, other).can_merge


def test_whoever_is_kept_apart_can_still_be_merged_by_hand(acme):
    user, other = make_pair(acme)
    conflicts.keep_apart(user, other, now=timezone.now())

    assert compare(user, other).obstacles == [Obstacle.KEPT_APART]
    assert compare(user, other).can_merge


def test_the_older_one_survives_in_whatever_order_they_are_named(acme):
    user, other = make_pair(acme)

    for comparison in (compare(user, other), compare(other, user)):
        assert (comparison.survivor.user, comparison.merged.user) == (user, other)
        assert comparison.sides == (comparison.survivor, comparison.merged)


@pytest.mark.parametrize("name", VERIFIED_AT)
def test_a_detail_that_the_survivor_lacks_moves(acme, name):
    user, other = make_pair(acme, **{"nickname": "", name: "a value"} | verified_of(name))
    User.objects.filter(pk=user.pk).update(nickname="")
    user.refresh_from_db()

    assert (compare(user, other).moving, compare(user, other).yielding) == ([name], [])
    merge = merge_by_hand(user, other, operator=builders.make_operator("ada"), now=timezone.now())
    assert merge.moved["details"] == [name]


@pytest.mark.parametrize("name", VERIFIED_AT)
def test_a_detail_that_both_have_yields_to_the_survivors(acme, name):
    user, other = make_pair(acme, **{"nickname": "", name: "theirs"} | verified_of(name))
    User.objects.filter(pk=user.pk).update(**{"nickname": "", name: "own"} | verified_of(name))
    user.refresh_from_db()

    assert (compare(user, other).moving, compare(user, other).yielding) == ([], [name])
    merge_by_hand(user, other, operator=builders.make_operator("ada"), now=timezone.now())
    assert getattr(User.objects.get(pk=user.pk), name) == "own"


@pytest.mark.parametrize("name", ["phone_number", "email"])
def test_what_nobody_verified_neither_moves_nor_stands_in_the_way(acme, name):
    user, other = make_pair(acme, **{"nickname": "", name: "theirs"})
    assert (compare(user, other).moving, compare(user, other).yielding) == ([], [])

    User.objects.filter(pk=user.pk).update(**{name: "own"})
    User.objects.filter(pk=other.pk).update(**verified_of(name))
    user.refresh_from_db()
    other.refresh_from_db()
    assert compare(user, other).moving == [name]
    merge = merge_by_hand(user, other, operator=builders.make_operator("ada"), now=timezone.now())
    assert merge.moved["details"] == [name]


def test_nothing_is_lost_where_both_say_the_same(acme):
    user, other = make_pair(acme, nickname="Alice")

    assert (compare(user, other).moving, compare(user, other).yielding) == ([], [])


def test_a_side_shows_what_tells_whether_they_are_one_person(acme, globex):
    user, other = make_pair(acme)
    make_session(acme, user)
    make_session(acme, user, ended_at=timezone.now(), end_reason="logged_out")
    make_session(acme, other)
    for number in range(LOGINS_SHOWN + 1):
        make_event(acme, user=user, ago=timedelta(minutes=number), request_id=str(number))

    side = side_of(user)

    assert (side.name, side.running_sessions, side.linked_accounts) == ("Alice", 1, 1)
    assert [event.request_id for event in side.logins] == ["0", "1", "2"]
    assert side_of(other).linked_accounts == 2


def test_whoever_has_no_nickname_is_called_by_the_sub(acme):
    user = builders.make_user(acme.pool, sub="the-sub")

    assert side_of(user).name == "the-sub"

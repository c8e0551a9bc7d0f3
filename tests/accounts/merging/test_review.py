"""Deciding about conflicts: only as they were seen, only once, only in one's own pool."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging import conflicts
from accounts.merging.merge import CannotMerge, merge_by_hand
from accounts.merging.review import conflict_of, keep_apart, merge_pair, open_conflicts
from accounts.models import Conflict, LoginEvent, Merge, User
from tests.support import builders
from tests.support.people import hold, make_event, make_pair, make_person

State = Conflict.State


@pytest.fixture
def ada(acme):
    return builders.make_operator("ada", acme.pool)


def merged(conflict, ada, seen=State.OPEN):
    return merge_pair(conflict, seen=seen, operator=ada, now=timezone.now())


def test_a_pair_that_cant_be_one_user_isnt_merged(acme, ada):
    conflict = hold(acme, make_person(acme, 1), make_person(acme, 2))

    with pytest.raises(CannotMerge):
        merged(conflict, ada)
    assert not Merge.objects.exists()


@pytest.mark.parametrize("seen", [State.APART, State.MERGED, "", "nonsense"])
def test_a_conflict_that_was_seen_otherwise_isnt_merged(acme, ada, seen):
    conflict = hold(acme, *make_pair(acme))

    assert merged(conflict, ada, seen) is None
    assert not Merge.objects.exists()


def test_whoever_merges_after_a_colleague_kept_them_apart_is_too_late(acme, ada):
    conflict = hold(acme, *make_pair(acme))
    assert keep_apart(Conflict.objects.get())

    assert merged(conflict, ada) is None
    assert Conflict.objects.get().state == State.APART


def test_whoever_keeps_them_apart_after_a_merge_is_too_late(acme, ada):
    conflict = hold(acme, *make_pair(acme))
    assert merged(Conflict.objects.get(), ada)

    assert not keep_apart(conflict)
    assert Conflict.objects.get().state == State.MERGED


def test_a_conflict_that_is_gone_is_decided_by_nobody(acme, ada):
    conflict = hold(acme, *make_pair(acme))
    Conflict.objects.all().delete()

    assert merged(conflict, ada) is None
    assert not keep_apart(conflict)


def test_a_single_openid_is_dismissed_and_never_merged(acme, ada):
    user = make_person(acme, 1)
    conflicts.hold_openid(user, "o-virtual", acme.source, now=timezone.now())
    conflict = Conflict.objects.get()

    assert merged(conflict, ada) is None
    assert keep_apart(conflict)
    conflicts.hold_openid(user, "o-virtual", acme.source, now=timezone.now())
    assert (Conflict.objects.get().state, Conflict.objects.get().occurrences) == (State.APART, 2)


def test_a_pair_is_merged_and_the_operator_is_noted(acme, ada):
    user, other = make_pair(acme)

    merge = merged(hold(acme, user, other), ada)

    assert (merge.survivor, merge.merged, merge.operator) == (user, other, ada)
    assert Conflict.objects.get().state == State.MERGED


def test_a_pair_that_was_kept_apart_can_be_merged_after_all(acme, ada):
    conflict = hold(acme, *make_pair(acme))
    keep_apart(conflict)

    assert merged(conflict, ada, State.APART)


def test_open_conflicts_are_the_pools_own_the_last_seen_first(acme, globex):
    first = hold(acme, *make_pair(acme))
    Conflict.objects.update(last_seen_at=timezone.now() - timedelta(days=1))
    second = hold(acme, make_person(acme, 1), make_person(acme, 2))
    apart = hold(acme, make_person(acme, 3), make_person(acme, 4))
    keep_apart(apart)
    hold(globex, *make_pair(globex))

    assert list(open_conflicts(acme.pool)) == [second, first]


@pytest.mark.usefixtures("threaded_database")
def test_of_two_operators_at_once_one_decides(acme, together):
    conflict = hold(acme, *make_pair(acme))
    operators = [builders.make_operator(name, acme.pool) for name in ("ada", "bea")]
    decisions = [
        lambda: bool(merged(conflict, operators[0])),
        lambda: keep_apart(conflict),
        lambda: bool(merged(conflict, operators[1])),
        lambda: keep_apart(conflict),
    ]

    assert sum(together(lambda decide: decide(), decisions)) == 1
    is_merged = User.objects.filter(status=User.Status.MERGED).exists()
    assert Conflict.objects.get().state == (State.MERGED if is_merged else State.APART)


# From a login to its conflict


def test_a_login_leads_to_the_conflict_that_it_was_held_for(acme):
    user, other = make_pair(acme)
    conflict = hold(acme, user, other)
    event = make_event(acme, user=user, conflict=LoginEvent.Conflict.UNIONID_OF_ANOTHER_USER)
    Conflict.objects.update(last_seen_at=event.occurred_at)

    assert conflict_of(event) == conflict
    assert conflict_of(make_event(acme, user=user)) is None
    earlier = make_event(acme, user=user, conflict="unionid_of_another_user", ago=timedelta(days=1))
    assert conflict_of(earlier) is None
    assert conflict_of(make_event(acme, conflict="unionid_of_another_user")) is None


def test_a_refused_login_leads_to_its_openid_on_the_list(acme):
    user, now = make_person(acme, 1), timezone.now()
    conflicts.hold_openid(user, "o-other", acme.source, now=now - timedelta(days=9))
    conflicts.hold_openid(user, "o-virtual", acme.source, now=now)
    event = make_event(acme, user=user, error="identity_conflict", occurred_at=now)

    assert conflict_of(event) == Conflict.objects.get(openid="o-virtual")


def test_a_conflict_that_was_dropped_is_led_to_by_nothing(acme):
    user, other = make_pair(acme)
    hold(acme, user, make_person(acme, 1))
    event = make_event(acme, user=user, conflict="unionid_of_another_user")
    merge_by_hand(other, user, operator=builders.make_operator("ada"), now=timezone.now())
    Conflict.objects.all().delete()

    assert conflict_of(event) is None

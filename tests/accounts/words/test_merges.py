"""A merge in words: every obstacle and detail has its own, and the numbers are right."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging.comparison import compare
from accounts.merging.merge import DETAILS, FORBIDDING, Obstacle, merge_by_hand
from accounts.merging.undo import undo
from accounts.models import Merge, User
from accounts.words import account_history
from accounts.words.merges import obstacles_in_words, plan_in_words, undo_in_words, why_not_undone
from tests.support import builders
from tests.support.people import make_pair, make_person, make_session


@pytest.fixture
def ada(acme):
    return builders.make_operator("ada", acme.pool)


def merge(first, second, ada):
    made = merge_by_hand(first, second, operator=ada, now=timezone.now())
    return Merge.objects.select_related("survivor", "merged").get(pk=made.pk)


def test_every_obstacle_has_words_of_its_own_and_says_whether_it_forbids():
    told = obstacles_in_words(list(Obstacle))

    assert len({one.meaning for one in told}) == len({one.remedy for one in told}) == len(Obstacle)
    assert [obstacle for obstacle, one in zip(Obstacle, told, strict=True) if one.forbids] == [
        obstacle for obstacle in Obstacle if obstacle in FORBIDDING
    ]


def test_every_detail_has_a_word():
    assert set(account_history._DETAILS) == {detail.value for detail in DETAILS}  # noqa: SLF001  nothing else lists them


def test_the_plan_says_who_stays_what_moves_what_is_given_up_and_what_ends(acme):
    user, other = make_pair(acme, email="a@example.com", email_verified_at=timezone.now())
    make_session(acme, other)
    make_session(acme, other)

    plan = plan_in_words(compare(user, other))

    assert plan[0].startswith("Alice stays: the older of the two, a user since ")
    assert plan[1:5] == [
        "2 linked accounts of Alice on the web move to Alice: wxsandbox0000000ee, UnionID.",
        "Alice gets what they have none of: e-mail address.",
        "Alice keeps their own, and Alice on the web's is given up: nickname.",
        "2 running sessions of Alice on the web end now. Sessions of Alice go on.",
    ]
    assert user.sub in plan[5]
    assert other.sub in plan[5]
    assert plan[6] == "For 30 days the merge can be undone."


def test_the_plan_says_that_nothing_moves_and_nothing_ends(acme):
    first = builders.make_user(acme.pool, nickname="First")
    second = builders.make_user(acme.pool, nickname="First")

    plan = plan_in_words(compare(first, second))

    assert plan[1:3] == [
        "First has no linked account that could move.",
        "No session ends: First is logged in nowhere.",
    ]


def test_undoing_is_told_by_name(acme, ada):
    told = " ".join(undo_in_words(merge(*make_pair(acme), ada)))

    assert "Alice on the web is a user again" in told
    assert "kept apart" in told


def test_a_merge_of_today_can_be_undone(acme, ada):
    assert why_not_undone(merge(*make_pair(acme), ada), now=timezone.now()) == ""


def test_a_merge_that_is_too_old_says_so(acme, ada):
    made = merge(*make_pair(acme), ada)

    later = made.merged_at + Merge.UNDO_WITHIN
    assert why_not_undone(made, now=later) == "It is more than 30 days ago."
    assert why_not_undone(made, now=later - timedelta(seconds=1)) == ""


def test_a_merge_that_was_undone_says_so(acme, ada):
    made = merge(*make_pair(acme), ada)
    undo(made, operator=ada, now=timezone.now())
    made.refresh_from_db()

    assert why_not_undone(made, now=timezone.now()) == "It was undone."


def test_a_later_merge_has_to_be_undone_first(acme, ada):
    user, other = make_pair(acme)
    made = merge(user, other, ada)
    oldest = builders.make_user(acme.pool)
    User.objects.filter(pk=oldest.pk).update(created_at=user.created_at - timedelta(days=1))
    merge(User.objects.get(pk=oldest.pk), User.objects.get(pk=user.pk), ada)
    made = Merge.objects.get(pk=made.pk)

    assert "undo that merge first" in why_not_undone(made, now=timezone.now())


def test_erased_data_cant_come_back(acme, ada):
    made = merge(*make_pair(acme), ada)
    User.objects.filter(pk=made.survivor_id).update(erased_at=timezone.now())

    assert "erased" in why_not_undone(Merge.objects.get(), now=timezone.now())
    assert make_person(acme, 9).erased_at is None

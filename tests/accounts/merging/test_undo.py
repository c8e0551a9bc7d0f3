"""Undoing a merge within 30 days: what goes back, what doesn't, and that the two stay apart."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging import conflicts as review
from accounts.merging.merge import merge_by_hand, obstacles
from accounts.merging.undo import CannotUndo, can_undo, undo
from accounts.models import AccountEvent, Merge, Session, User
from accounts.users.closing import close, erase_due
from accounts.users.suspension import suspend
from tests.support import builders
from tests.support.people import EMAIL, PHONE, give, make_session
from tests.support.records import assert_invariants, conflicts, groups_of

SECOND = "wx00000000000000aa"
NOW = timezone.now()
LATER = NOW + timedelta(minutes=10)
THIRTY_DAYS = timedelta(days=30)


def user_row(user):
    return User.objects.values(*PHONE, *EMAIL, "nickname", "password", "status", "merged_into").get(
        pk=user.pk
    )


@pytest.fixture
def pair(acme, weixin):
    """Two users who are one person: the older by OpenID alone, the younger with the UnionID."""
    weixin.add_source(SECOND)
    older = weixin.enter("o1").user
    younger = weixin.enter("o2", "u", app_id=SECOND).user
    give(younger, **PHONE, **EMAIL, nickname="B", password="hash of B's")
    give(older, nickname="A")
    return older, younger


@pytest.fixture
def merge_them(weixin, pair):
    """Merge the two by a login, and return the merge."""

    def make(now=NOW):
        assert weixin.enter("o1", "u", now=now).user == pair[0]
        return Merge.objects.get(undone_at=None)

    return make


def test_what_moved_goes_back_row_by_row(weixin, pair, operator, merge_them):
    older, younger = pair
    before = user_row(older), user_row(younger)
    had = groups_of(older), groups_of(younger)
    made = merge_them()
    assert user_row(younger)["phone_number_verified_at"] is None

    undo(made, operator=operator, now=LATER)

    assert (user_row(older), user_row(younger)) == before
    assert (groups_of(older), groups_of(younger)) == had
    made.refresh_from_db()
    assert (made.undone_at, made.undone_by) == (LATER, operator)
    undone = AccountEvent.objects.filter(kind="merge_undone")
    assert {(event.user, event.operator) for event in undone} == {
        (older, operator),
        (younger, operator),
    }
    assert_invariants()


def test_each_has_identities_of_their_own_again(pair, operator, merge_them):
    older, younger = pair
    had = {row.pk: (row.user_id, row.wechat_identity) for row in _rows(older, younger)}

    undo(merge_them(), operator=operator, now=LATER)

    assert {row.pk: (row.user_id, row.wechat_identity) for row in _rows(older, younger)} == had


def test_the_survivors_own_rows_keep_the_identity_they_were(weixin, operator):
    """The survivor has the UnionID, and its rows joined the group of the OpenID that came."""
    weixin.add_source(SECOND)
    older = weixin.enter("o2", "u", app_id=SECOND).user
    younger = weixin.enter("o1").user
    weixin.enter("o1", "u")

    undo(Merge.objects.get(), operator=operator, now=LATER)

    assert (groups_of(older), groups_of(younger)) == (
        {frozenset({"o2", "u"})},
        {frozenset({"o1"})},
    )
    groups = {row.user_id: row.wechat_identity for row in _rows(older, younger)}
    assert len(set(groups.values())) == 2


def _rows(*users):
    return [row for user in users for row in user.linked_accounts.all()]


def test_from_then_on_the_pair_is_held_and_each_is_found(weixin, pair, operator, merge_them):
    older, younger = pair
    undo(merge_them(), operator=operator, now=LATER)

    assert weixin.enter("o1", "u").user == older
    assert weixin.enter("o2", "u", app_id=SECOND).user == younger
    assert obstacles(older, younger)[0] == "kept_apart"
    assert conflicts() == [(older.sub, younger.sub, "unionid_of_another_user", "apart", 2)]
    assert Merge.objects.filter(undone_at=None).count() == 0


def test_an_operator_may_merge_the_pair_again_and_undo_that(pair, operator, merge_them):
    undo(merge_them(), operator=operator, now=LATER)
    again = merge_by_hand(*pair, operator=operator, now=LATER)

    undo(again, operator=operator, now=LATER)

    assert review.are_apart(*pair)
    assert set(User.objects.values_list("status", flat=True)) == {"active"}


def test_the_survivors_sessions_of_after_the_merge_end(acme, pair, operator, merge_them):
    older, younger = pair
    before = make_session(acme, older)
    made = merge_them()
    after = make_session(acme, older)
    Session.objects.update(auth_time=NOW - timedelta(seconds=1))
    Session.objects.filter(pk=after.pk).update(auth_time=NOW)

    undo(made, operator=operator, now=LATER)

    assert not Session.objects.filter(ended_at=None, user=younger).exists()
    running = Session.objects.filter(ended_at=None, user=older)
    assert before in running
    assert after not in running
    after.refresh_from_db()
    assert (after.ended_at, after.end_reason) == (LATER, "merge_undone")


@pytest.mark.parametrize(
    ("after", "may"),
    [(THIRTY_DAYS, False), (THIRTY_DAYS - timedelta(seconds=1), True), (timedelta(0), True)],
)
def test_a_merge_can_be_undone_for_thirty_days(pair, operator, merge_them, after, may):
    made = merge_them()

    assert can_undo(made, now=NOW + after) is may
    if may:
        undo(made, operator=operator, now=NOW + after)
        return
    with pytest.raises(CannotUndo):
        undo(made, operator=operator, now=NOW + after)
    assert User.objects.get(pk=pair[1].pk).status == "merged"


def test_a_merge_is_undone_once(pair, operator, merge_them):
    made, same = merge_them(), Merge.objects.get()
    undo(made, operator=operator, now=LATER)
    events = AccountEvent.objects.count()

    for stale in (same, Merge.objects.get()):
        with pytest.raises(CannotUndo):
            undo(stale, operator=operator, now=LATER)

    assert AccountEvent.objects.count() == events


def test_a_later_merge_of_the_survivor_has_to_be_undone_first(acme, pair, operator, merge_them):
    oldest = builders.make_user(acme.pool)
    User.objects.filter(pk=oldest.pk).update(created_at="2020-01-01T00:00Z")
    oldest.refresh_from_db()
    older, younger = pair
    first = merge_them()
    second = merge_by_hand(oldest, older, operator=operator, now=NOW)
    with pytest.raises(CannotUndo):
        undo(first, operator=operator, now=LATER)

    undo(second, operator=operator, now=LATER)
    younger.refresh_from_db()
    assert younger.merged_into == older
    undo(first, operator=operator, now=LATER)

    younger.refresh_from_db()
    assert (younger.status, younger.merged_into) == ("active", None)
    assert_invariants()


@pytest.mark.parametrize(
    "others", [PHONE, EMAIL | {"email": EMAIL["email"].lower()}], ids=["number", "address"]
)
def test_what_somebody_else_verified_meanwhile_is_not_taken_back(
    acme, pair, operator, merge_them, others
):
    older, younger = pair
    made = merge_them()
    column = next(iter(others))
    give(older, **{column: "", f"{column}_verified_at": None})
    holder = builders.make_user(acme.pool, **others)

    undo(made, operator=operator, now=LATER)

    assert user_row(younger)[f"{column}_verified_at"] is None
    assert user_row(holder)[f"{column}_verified_at"] is not None
    kept = EMAIL if column == "phone_number" else PHONE
    assert {name: user_row(younger)[name] for name in kept} == kept


def test_what_the_survivor_changed_since_stays_theirs_but_for_the_number(
    pair, operator, merge_them
):
    older, younger = pair
    made = merge_them()
    give(older, nickname="Another", phone_number="+8613800138009", phone_number_verified_at=LATER)

    undo(made, operator=operator, now=LATER)

    assert user_row(older)["nickname"] == "Another"
    assert user_row(older)["phone_number"] == ""
    assert user_row(younger)["phone_number"] == PHONE["phone_number"]
    assert user_row(younger)["phone_number_verified_at"] is not None


def test_what_was_unlinked_since_doesnt_come_back(pair, operator, merge_them):
    older, younger = pair
    made = merge_them()
    older.linked_accounts.filter(openid="o2").delete()

    undo(made, operator=operator, now=LATER)

    assert groups_of(younger) == {frozenset({"u"})}


def test_nothing_is_undone_once_the_survivor_is_erased(pair, operator, merge_them):
    older, _younger = pair
    made = merge_them(now=NOW)
    close(older, now=NOW)
    assert erase_due(now=NOW + THIRTY_DAYS) == 1

    with pytest.raises(CannotUndo):
        undo(made, operator=operator, now=NOW + THIRTY_DAYS - timedelta(seconds=1))


def test_whom_the_merged_user_was_kept_apart_from_they_are_kept_apart_from_again(
    acme, pair, operator, merge_them
):
    older, younger = pair
    third = builders.make_user(acme.pool)
    review.keep_apart(third, younger, now=NOW)
    made = merge_them()
    assert review.are_apart(older, third)

    undo(made, operator=operator, now=LATER)

    assert review.are_apart(younger, third)


@pytest.mark.parametrize("end", [suspend, close])
def test_nothing_is_undone_while_the_survivor_is_kept_out(pair, operator, merge_them, end):
    """Otherwise the person would be let in again, as the one who had been merged."""
    older, younger = pair
    made = merge_them()
    end(older, now=NOW)

    with pytest.raises(CannotUndo):
        undo(made, operator=operator, now=LATER)

    younger.refresh_from_db()
    assert younger.status == "merged"


def test_what_an_operator_has_said_of_the_survivor_since_stays_said(
    acme, pair, operator, merge_them
):
    older, younger = pair
    third = builders.make_user(acme.pool)
    review.keep_apart(third, younger, now=NOW)
    made = merge_them()
    undo(merge_by_hand(older, third, operator=operator, now=LATER), operator=operator, now=LATER)

    undo(made, operator=operator, now=LATER)

    assert review.are_apart(older, third)
    assert review.are_apart(younger, third)

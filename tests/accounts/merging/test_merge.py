"""Making one user of two: what forbids it, who survives, what moves and what ends."""

import pytest
from django.utils import timezone

from accounts.merging.conflicts import keep_apart
from accounts.merging.merge import CannotMerge, Obstacle, merge_by_hand, obstacles
from accounts.models import AccountEvent, Merge, Session, User
from tests.support import builders
from tests.support.people import EMAIL, LATELY, PHONE, give, make_session
from tests.support.records import assert_invariants, conflicts, groups_of, linked_rows

NOW = timezone.now()
OTHER_PHONE = {"phone_number": "+8613800138002", "phone_number_verified_at": LATELY}


@pytest.fixture
def older(acme):
    return builders.make_user(acme.pool, sub="older")


@pytest.fixture
def younger(acme, older):
    return builders.make_user(acme.pool, sub="younger")


def both(*users):
    for user in users:
        user.refresh_from_db()
    return users


# What stands against it


def kept_apart(first, second):
    keep_apart(second, first, now=NOW)


def two_unionids(first, second):
    builders.link_unionid(first, "u1")
    builders.link_unionid(second, "u2")


def two_unionids_of_one(_first, second):
    builders.link_unionid(second, "u1")
    builders.link_unionid(second, "u2")


def two_openids(first, second):
    builders.link_openid(first, "o1")
    builders.link_openid(second, "o2")


def two_passwords(first, second):
    give(first, password="a")
    give(second, password="b")


def two_numbers(first, second):
    give(first, **PHONE)
    give(second, **OTHER_PHONE)


def status_of(position, status):
    return lambda *pair: give(pair[position], status=status)


OBSTACLES = [
    (kept_apart, Obstacle.KEPT_APART),
    (two_unionids, Obstacle.TWO_UNIONIDS),
    (two_unionids_of_one, Obstacle.TWO_UNIONIDS),
    (two_passwords, Obstacle.TWO_PASSWORDS),
    (two_numbers, Obstacle.TWO_PHONE_NUMBERS),
    (two_openids, Obstacle.TWO_OPENIDS),
    (status_of(0, "suspended"), Obstacle.NOT_ACTIVE),
    (status_of(1, "suspended"), Obstacle.NOT_ACTIVE),
    (status_of(0, "closed"), Obstacle.NOT_ACTIVE),
    (status_of(1, "closed"), Obstacle.NOT_ACTIVE),
]


def one_unionid(first, _second):
    builders.link_unionid(first, "u1")


def openids_of_two_apps(first, second):
    builders.link_openid(first, "o1")
    builders.link_openid(second, "o2", app_id="wx00000000000000aa")


def one_password(_first, second):
    give(second, password="x")


def one_verified_number(first, second):
    give(first, **PHONE)
    give(second, **OTHER_PHONE | {"phone_number_verified_at": None})


def two_names(first, second):
    give(first, nickname="A")
    give(second, nickname="B")


NO_OBSTACLES = [one_unionid, openids_of_two_apps, one_password, one_verified_number, two_names]


@pytest.mark.parametrize(("build", "obstacle"), OBSTACLES)
def test_each_obstacle_alone_stands_against_a_merge_by_itself(older, younger, build, obstacle):
    build(older, younger)

    assert obstacles(*both(older, younger)) == [obstacle]
    assert obstacles(*both(younger, older)) == [obstacle]


@pytest.mark.parametrize("build", NO_OBSTACLES)
def test_what_is_no_obstacle(older, younger, build):
    build(older, younger)

    assert obstacles(*both(older, younger)) == []


@pytest.mark.parametrize(("build", "obstacle"), OBSTACLES)
def test_an_operator_may_overrule_what_the_database_can_hold(
    older, younger, operator, build, obstacle
):
    build(older, younger)

    if obstacle in {Obstacle.TWO_OPENIDS, Obstacle.NOT_ACTIVE}:
        with pytest.raises(CannotMerge) as refused:
            merge_by_hand(older, younger, operator=operator, now=NOW)
        assert refused.value.obstacles == [obstacle]
        assert Merge.objects.count() == AccountEvent.objects.count() == 0
        return
    merge_by_hand(younger, older, operator=operator, now=NOW)
    assert Merge.objects.get().operator == operator
    assert_invariants()


def test_a_tombstone_cannot_be_merged_again(acme, older, younger, operator):
    merge_by_hand(older, younger, operator=operator, now=NOW)
    third = builders.make_user(acme.pool)

    for pair in [(younger, third), (older, younger)]:
        with pytest.raises(CannotMerge):
            merge_by_hand(*pair, operator=operator, now=NOW)


@pytest.mark.parametrize("same", [True, False])
def test_a_user_is_not_merged_with_themselves_nor_with_one_of_another_pool(
    older, globex, operator, same
):
    other = older if same else builders.make_user(globex.pool)

    with pytest.raises(CannotMerge):
        merge_by_hand(older, other, operator=operator, now=NOW)

    assert User.objects.exclude(status="active").count() == 0


# Who survives, what moves


@pytest.mark.parametrize("order", [1, -1])
def test_the_older_user_survives_and_the_other_becomes_a_tombstone(older, younger, operator, order):
    users = (older, younger)[::order]

    made = merge_by_hand(*users, operator=operator, now=NOW)

    both(older, younger)
    assert (made.survivor, made.merged, made.merged_at) == (older, younger, NOW)
    assert (older.status, older.merged_into) == ("active", None)
    assert (younger.status, younger.merged_into) == ("merged", older)
    facts = {"other": "younger", "survivor": "older"}
    events = AccountEvent.objects.all()
    assert {(e.user.sub, e.kind, e.operator, e.occurred_at) for e in events} == {
        ("older", "merged", operator, NOW),
        ("younger", "merged", operator, NOW),
    }
    assert AccountEvent.objects.get(user=older).facts == facts


def test_all_linked_accounts_move_and_stay_the_identities_they_were(older, younger, operator):
    group = builders.link_unionid(younger, "u1").wechat_identity
    builders.link_openid(younger, "o1", unionid="u1", wechat_identity=group)
    builders.link_openid(younger, "o2", app_id="wx2")
    builders.link_openid(older, "o3", app_id="wx3")
    before = linked_rows()

    merge_by_hand(older, younger, operator=operator, now=NOW)

    assert linked_rows(older) == before
    assert groups_of(older) == {frozenset({"u1", "o1"}), frozenset({"o2"}), frozenset({"o3"})}


MOVABLE = {
    "name": {"nickname": "爱丽", "avatar_url": "https://login.example.com/a.png"},
    "password": {"password": "a hash"},
    "number": PHONE,
    "address": EMAIL,
}


@pytest.mark.parametrize("detail", MOVABLE)
def test_a_contact_detail_moves_where_the_survivor_has_none(older, younger, operator, detail):
    give(younger, **MOVABLE[detail])

    merge_by_hand(older, younger, operator=operator, now=NOW)

    both(older, younger)
    assert {name: getattr(older, name) for name in MOVABLE[detail]} == MOVABLE[detail]
    assert younger.phone_number_verified_at is younger.email_verified_at is None


@pytest.mark.parametrize(
    ("has", "had"),
    [
        ({"nickname": "A", "avatar_url": "a"}, {"nickname": "B", "avatar_url": "b"}),
        ({"password": "a"}, {"password": "b"}),
        (PHONE, OTHER_PHONE),
        (EMAIL, {"email": "bob@example.com", "email_verified_at": NOW}),
    ],
)
def test_a_contact_detail_yields_to_the_survivors(older, younger, operator, has, had):
    give(older, **has)
    give(younger, **had)

    merge_by_hand(older, younger, operator=operator, now=NOW)

    both(older, younger)
    assert {name: getattr(older, name) for name in has} == has
    assert younger.phone_number_verified_at is younger.email_verified_at is None


def test_a_verified_number_is_not_lost_to_one_that_nobody_proved(older, younger, operator):
    give(older, phone_number=OTHER_PHONE["phone_number"])
    give(younger, **PHONE)

    merge_by_hand(older, younger, operator=operator, now=NOW)

    both(older)
    assert (older.phone_number, older.phone_number_verified_at) == tuple(PHONE.values())


def test_the_merged_users_sessions_end_and_the_survivors_go_on(acme, older, younger, operator):
    earlier = {"ended_at": LATELY, "end_reason": "logged_out"}
    goes_on = make_session(acme, older)
    ends, had_ended = make_session(acme, younger), make_session(acme, younger, **earlier)

    merge_by_hand(older, younger, operator=operator, now=NOW)

    ended = {s.pk: (s.ended_at, s.end_reason) for s in Session.objects.all()}
    assert ended == {
        goes_on.pk: (None, ""),
        ends.pk: (NOW, "user_merged"),
        had_ended.pk: (LATELY, "logged_out"),
    }


def test_tombstones_of_the_merged_user_name_the_final_survivor(acme, operator):
    first, second, third, fourth = (builders.make_user(acme.pool) for _ in range(4))

    merge_by_hand(third, fourth, operator=operator, now=NOW)
    merge_by_hand(second, third, operator=operator, now=NOW)
    merge_by_hand(first, second, operator=operator, now=NOW)

    assert set(User.objects.filter(status="merged").values_list("merged_into", flat=True)) == {
        first.pk
    }
    assert_invariants()


def test_a_held_pair_is_settled_when_an_operator_merges_it(weixin, operator):
    pool = weixin.tenant.pool
    pool.merge = "review"
    pool.save()
    second = weixin.add_source("wx00000000000000aa")
    first = weixin.enter("o1").user
    other = weixin.enter("o2", "u", app_id=second.app_id).user
    weixin.enter("o1", "u")
    assert conflicts() == [(first.sub, other.sub, "unionid_of_another_user", "open", 1)]

    merge_by_hand(first, other, operator=operator, now=timezone.now())

    assert [state for *_, state, _ in conflicts()] == ["merged"]
    assert weixin.enter("o1", "u").user == weixin.enter("o2", "u", app_id=second.app_id).user
    assert [state for *_, state, _ in conflicts()] == ["merged"]

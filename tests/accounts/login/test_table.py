"""The table of the rules, row by row, with everything that should make no difference."""

import itertools
from dataclasses import dataclass

import pytest

from accounts import refusals
from accounts.models import Merge, User
from tests.support import builders
from tests.support.oidc import claims_of
from tests.support.records import (
    assert_invariants,
    conflicts,
    count_rows,
    event,
    events,
    groups_of,
    histories,
    linked_rows,
    refusal,
    undone_afterwards,
)

APP, ANOTHER_APP = builders.LIVE_APP_ID, "wx00000000000000aa"
OPENID, UNIONID = "o-of-this-login", "u-of-this-login"
OTHER_OPENID, OTHER_UNIONID, ELSEWHERE = "o-of-another", "u-of-another", "o-of-b-elsewhere"


@dataclass(frozen=True)
class Row:
    """Who is known before somebody comes with OPENID, and what comes of it.

    ``openid`` and ``unionid`` are whose they are; ``of_a`` is which UnionID A has already.
    """

    outcome: str
    openid: str = "unknown"
    unionid: str = "unknown"
    of_a: str = ""
    b_has_another_openid: bool = False


TABLE = {
    "nobody, no UnionID": Row("new", unionid="absent"),
    "nobody": Row("new"),
    "B's UnionID": Row("b", unionid="b"),
    "B's UnionID, B has another OpenID": Row(
        "identity_conflict", unionid="b", b_has_another_openid=True
    ),
    "A, no UnionID": Row("a", openid="a", unionid="absent"),
    "A, who has one, without it": Row("a", openid="a", unionid="absent", of_a=UNIONID),
    "A with A's": Row("a", openid="a", unionid="a", of_a=UNIONID),
    "A with a new one": Row("a gains", openid="a"),
    "A, who has another, with a new one": Row("a changes", openid="a", of_a=OTHER_UNIONID),
    "A with B's": Row("twice", openid="a", unionid="b"),
    "A with B's, B has another OpenID": Row(
        "held", openid="a", unionid="b", b_has_another_openid=True
    ),
    "A, who has another, with B's": Row("held", openid="a", unionid="b", of_a=OTHER_UNIONID),
    "A, who has another, with B's, B has another OpenID": Row(
        "held", openid="a", unionid="b", of_a=OTHER_UNIONID, b_has_another_openid=True
    ),
}
# The pool's policy, the source's registration, and who of A and B is older.
CIRCUMSTANCES = list(itertools.product(["automatic", "review"], ["open", "closed"], ["ab", "ba"]))


def set_the_scene(weixin, row, merge="automatic", registration="open", older="ab"):
    """Make A and B, with what the row says that they have."""
    pool = weixin.tenant.pool
    pool.merge = merge
    pool.save()
    pool.identity_sources.filter(app_id=APP).update(registration=registration)
    a, b = (builders.make_user(pool, sub=name) for name in "ab")
    User.objects.filter(sub=older[1]).update(created_at="2030-01-01T00:00Z")
    if row.openid == "a":
        openid = builders.link_openid(a, OPENID, unionid=row.of_a)
    if row.of_a:
        builders.link_unionid(a, row.of_a, wechat_identity=openid.wechat_identity)
    if row.unionid == "b":
        group = builders.link_unionid(b, UNIONID).wechat_identity
        builders.link_openid(
            b, ELSEWHERE, app_id=ANOTHER_APP, unionid=UNIONID, wechat_identity=group
        )
    if row.b_has_another_openid:
        builders.link_openid(b, OTHER_OPENID)
    return a, b


def come(weixin, row):
    return weixin.enter(OPENID, None if row.unionid == "absent" else UNIONID)


def owners():
    """Return who has which OpenIDs and UnionIDs, by WeChat identity."""
    return {user.sub: groups_of(user) for user in User.objects.all() if groups_of(user)}


def groups(*identities):
    return {frozenset(identity) for identity in identities}


def assert_is_let_in(login, sub, *, created=False, **facts):
    """Assert who was let in, in the answer, the tokens and the event."""
    assert (login.user.sub, login.created) == (sub, created)
    for token in (login.tokens.access_token, login.tokens.id_token):
        assert claims_of(token)["sub"] == sub
    source = {"identity_source__identifier": "live-cdef"}
    assert events() == [event(user__sub=sub, **source, **facts)]


def given(row, **changes):
    """Return who had what before the login, with what it changed."""
    before = {}
    if row.openid == "a":
        before["a"] = groups({OPENID, row.of_a} - {""})
    if row.unionid == "b":
        another = [{OTHER_OPENID}] if row.b_has_another_openid else []
        before["b"] = groups({UNIONID, ELSEWHERE}, *another)
    return before | changes


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.outcome == "new"])
def test_nobody_becomes_a_new_user_unless_the_source_is_login_only(weixin, name):
    row = TABLE[name]
    for circumstances in CIRCUMSTANCES:
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            before = count_rows()
            if "closed" in circumstances:
                with pytest.raises(refusals.RegistrationClosed):
                    come(weixin, row)
                assert count_rows() - before == {
                    "accounts.LoginEvent": 1,
                    "accounts.CodeExchange": 1,
                }
                continue
            login = come(weixin, row)
            assert_is_let_in(login, login.user.sub, created=True)
            assert login.user.sub not in {"a", "b"}
            ids = {OPENID} if row.unionid == "absent" else {OPENID, UNIONID}
            assert owners() == {login.user.sub: groups(ids)}


def test_the_openid_of_one_whose_unionid_is_known_becomes_theirs(weixin):
    row = TABLE["B's UnionID"]
    for circumstances in CIRCUMSTANCES:
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            assert_is_let_in(come(weixin, row), "b", decision="matched_unionid")
            assert owners() == {"b": groups({UNIONID, ELSEWHERE, OPENID})}
            assert ("openid", APP, OPENID, UNIONID) in linked_rows()
            assert conflicts() == []


def test_a_second_openid_of_one_app_is_refused_and_put_on_the_review_list(weixin):
    row = TABLE["B's UnionID, B has another OpenID"]
    for circumstances in CIRCUMSTANCES:
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            for times in (1, 2):
                with pytest.raises(refusals.IdentityConflict):
                    come(weixin, row)
                assert conflicts() == [("b", None, "second_openid", "open", times)]
            assert owners() == given(row)
            assert [seen["error"] for seen in events()] == ["identity_conflict"] * 2
            assert events()[0] == refusal(
                "identity_conflict", identity_source__identifier="live-cdef", user__sub="b"
            )


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.outcome == "a"])
def test_whoever_is_known_by_openid_is_let_in_and_nothing_changes(weixin, name):
    row = TABLE[name]
    for circumstances in CIRCUMSTANCES:
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            before = linked_rows()
            assert_is_let_in(come(weixin, row), "a", decision="matched_openid")
            assert (owners(), linked_rows(), conflicts()) == (given(row), before, [])


@pytest.mark.parametrize(
    ("name", "conflict"),
    [("A with a new one", ""), ("A, who has another, with a new one", "unionid_changed")],
)
def test_a_unionid_that_nobody_has_is_gained_and_a_change_is_recorded(weixin, name, conflict):
    row = TABLE[name]
    for circumstances in CIRCUMSTANCES:
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            login = come(weixin, row)
            assert_is_let_in(
                login, "a", decision="matched_openid", unionid_added=True, conflict=conflict
            )
            assert owners() == {"a": groups({OPENID, UNIONID, row.of_a} - {""})}
            assert ("openid", APP, OPENID, UNIONID) in linked_rows()


@pytest.mark.parametrize("registration", ["open", "closed"])
@pytest.mark.parametrize("older", ["ab", "ba"])
def test_the_same_person_twice_becomes_the_older_user(weixin, registration, older):
    row = TABLE["A with B's"]
    set_the_scene(weixin, row, "automatic", registration, older)
    survivor, merged = older

    assert_is_let_in(come(weixin, row), survivor, decision="merged")

    assert owners() == {survivor: groups({OPENID, UNIONID, ELSEWHERE})}
    assert User.objects.get(sub=merged).merged_into.sub == survivor
    assert (Merge.objects.get().survivor.sub, Merge.objects.get().operator) == (survivor, None)
    assert histories() == {("a", "merged"), ("b", "merged")}
    assert conflicts() == []
    assert_invariants()


HELD = [name for name, row in TABLE.items() if row.outcome in {"held", "twice"}]


@pytest.mark.parametrize("name", HELD)
def test_two_who_may_not_be_merged_are_held_and_the_openid_decides(weixin, name):
    row = TABLE[name]
    for circumstances in CIRCUMSTANCES:
        if row.outcome == "twice" and "automatic" in circumstances:
            continue
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            older, younger = circumstances[2]
            login = come(weixin, row)
            assert_is_let_in(
                login, "a", decision="matched_openid", conflict="unionid_of_another_user"
            )
            come(weixin, row)
            assert conflicts() == [(older, younger, "unionid_of_another_user", "open", 2)]
            assert owners() == given(row)
            assert Merge.objects.count() == 0


FOUND = [
    (name, whose)
    for name, row in TABLE.items()
    for whose in sorted({row.openid, row.unionid} & {"a", "b"})
]


@pytest.mark.parametrize(
    ("status", "refusal_class"),
    [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)],
)
@pytest.mark.parametrize(("name", "whose"), FOUND)
def test_the_status_of_each_user_found_decides_first(weixin, name, whose, status, refusal_class):
    row = TABLE[name]
    for circumstances in (CIRCUMSTANCES[0], CIRCUMSTANCES[-1]):
        with undone_afterwards():
            set_the_scene(weixin, row, *circumstances)
            User.objects.filter(sub=whose).update(status=status)
            rows, before = linked_rows(), count_rows()
            with pytest.raises(refusal_class):
                come(weixin, row)
            assert linked_rows() == rows
            assert count_rows() - before == {"accounts.LoginEvent": 1, "accounts.CodeExchange": 1}
            assert events()[0]["user__sub"] == whose

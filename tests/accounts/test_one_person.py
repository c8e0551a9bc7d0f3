"""Whoever arrives, from whichever app, in whatever order: one person is one user.

People have phones with several mini programs. Some are bound to an Open Platform account from the
beginning, some are bound one day, one never is. A model of what WeChat says of whom tells which
identities are one person's; the users that logins leave behind have to agree with it.

``UNIONPASS_EXAMPLES`` sets how many examples are tried.
"""

import os
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import LinkedAccount, LoginEvent, Merge, User
from tests.support.records import assert_invariants, undone_afterwards

EXAMPLES = int(os.environ.get("UNIONPASS_EXAMPLES", "40"))
PEOPLE = ("ann", "ben", "cai")
BOUND = ("wx00000000000000b1", "wx00000000000000b2")
LATE = ("wx00000000000000c1", "wx00000000000000c2")
NEVER = "wx00000000000000d1"
APPS = (*BOUND, *LATE, NEVER)

# A visit is a person who opens an app; the name of an app alone is the moment it gets bound.
visits = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(APPS))
stories = st.lists(st.one_of(visits, visits, visits, st.sampled_from(LATE)), max_size=10)


@pytest.fixture
def apps(weixin):
    for app_id in APPS:
        weixin.add_source(app_id)
    return weixin


def quick(examples=EXAMPLES):
    """Try as many examples as there is time for; a database makes each one slow."""
    slow = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


class World:
    """What WeChat says of whom, at each moment."""

    def __init__(self, weixin):
        self.weixin = weixin
        self.bound = set(BOUND)
        self.seen = set()
        """(person, app, whether a UnionID came along) of every visit."""

    def tell(self, story):
        """Let a story happen; return who was let in at each visit."""
        return [self.visit(*moment) for moment in story if not self.bind(moment)]

    def bind(self, moment):
        if isinstance(moment, tuple):
            return False
        self.bound.add(moment)
        return True

    def visit(self, person, app_id):
        has_unionid = app_id in self.bound
        self.seen.add((person, app_id, has_unionid))
        unionid = f"u-{person}" if has_unionid else None
        login = self.weixin.enter(f"o-{person}-{app_id}", unionid, app_id=app_id)
        return person, app_id, login.user.pk

    def partition(self):
        """Return which OpenIDs are known to be one person's: those that came with a UnionID."""
        with_unionid = {(person, app_id) for person, app_id, has in self.seen if has}
        return {
            frozenset(f"o-{person}-{app_id}" for who, app_id in with_unionid if who == person)
            for person, _ in with_unionid
        } | {
            frozenset({f"o-{person}-{app_id}"})
            for person, app_id, _ in self.seen
            if (person, app_id) not in with_unionid
        }


def partition_of_users():
    """Return which OpenIDs are one user's, and assert that UnionIDs are where they belong."""
    users = defaultdict(set)
    for row in LinkedAccount.objects.all():
        users[row.user_id].add(row.openid or row.unionid)
    for values in users.values():
        people = {value.split("-")[1] for value in values}
        assert len(people) == 1, f"{people} became one user"
    return {
        frozenset(value for value in values if value.startswith("o-")) for values in users.values()
    }


@quick()
@given(story=stories)
def test_users_are_the_people_as_far_as_wechat_lets_know(apps, story):
    with undone_afterwards():
        world = World(apps)
        world.tell(story)

        assert partition_of_users() == world.partition()
        assert set(LoginEvent.objects.values_list("outcome", flat=True)) <= {"succeeded"}
        assert_invariants()


@quick(EXAMPLES // 3)
@given(story=stories, order=st.permutations([(who, app) for who in PEOPLE[:2] for app in APPS[:4]]))
def test_once_everything_is_bound_people_and_users_are_the_same(apps, story, order):
    """Whatever happened before: when each has opened each bound app once more, each is one.

    And whom a person was let in as before is who they are now, or a tombstone that names them.
    """
    with undone_afterwards():
        world = World(apps)
        before = world.tell(story)
        world.bound.update(LATE)
        before += world.tell(order)
        now = {visit[:2]: visit[2] for visit in world.tell(order)}

        everybody = partition_of_users()
        for person in PEOPLE[:2]:
            assert frozenset(f"o-{person}-{app_id}" for app_id in APPS[:4]) in everybody
            assert len({key for (who, _), key in now.items() if who == person}) == 1
        for person, app_id, key in before:
            user = User.objects.get(pk=key)
            assert (user.merged_into_id or user.pk) == now.get(
                (person, app_id), user.merged_into_id or user.pk
            )
        assert Merge.objects.count() == User.objects.filter(status="merged").count()
        assert_invariants()


@quick()
@given(story=stories)
def test_where_the_pool_says_review_nobody_is_merged_and_everybody_gets_in(apps, story):
    with undone_afterwards():
        apps.tenant.pool.merge = "review"
        apps.tenant.pool.save()
        let_in = World(apps).tell(story)

        assert User.objects.exclude(status="active").count() == 0
        for person_and_app in {visit[:2] for visit in let_in}:
            assert len({key for *visit, key in let_in if tuple(visit) == person_and_app}) == 1
        partition_of_users()
        assert_invariants()

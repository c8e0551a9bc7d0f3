"""Linking and unlinking WeChat identities: what stays whole, what stays in, and what is refused."""

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.login.identities import block
from accounts.models import AccountEvent, LinkedAccount, Session, linked_identities
from accounts.users.linking import NoSuchLinkedAccount, link, unlink
from applications.offers import IdentitySourceDisabled, LoginMethodDisabled
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.people import give
from tests.support.records import assert_invariants, count_rows, groups_of, histories

SECOND = "wx00000000000000aa"


@pytest.fixture
def second(weixin):
    return weixin.add_source(SECOND)


@pytest.fixture
def ann(weixin, second):
    """Ann, who logged in with the identity (o1, u1)."""
    return weixin.enter("o1", "u1").user


@pytest.fixture
def link_by(weixin):
    """Link to a user the identity of whoever has this OpenID."""

    def run(user, openid, unionid=None, *, app_id=builders.LIVE_APP_ID, code=None):
        link(
            user,
            weixin.tenant.application,
            code or weixin.code(openid, unionid),
            f"live-{app_id[-4:]}",
            now=timezone.now(),
        )

    return run


@pytest.fixture
def unlink_from(weixin):
    """Unlink from a user the identity that a value is part of."""

    def run(user, value, *, of=None):
        key = next(
            item.id
            for item in linked_identities(of or user)
            if value in {item.unionid, *[row.openid for row in item.openids]}
        )
        unlink(user, weixin.tenant.application, key, now=timezone.now())

    return run


def refused(refusal_class, work, *arguments, **fields):
    before, rows = count_rows(), set(LinkedAccount.objects.values_list("pk", "user"))
    with pytest.raises(refusal_class) as caught:
        work(*arguments, **fields)
    assert (count_rows() - before).keys() <= {"accounts.CodeExchange"}
    assert set(LinkedAccount.objects.values_list("pk", "user")) == rows
    return caught.value


# Linking


def by_openid(user):
    builders.link_openid(user, "o9", app_id=SECOND)


def by_unionid(user):
    builders.link_unionid(user, "u9")


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
@pytest.mark.parametrize("known", [by_openid, by_unionid])
def test_somebody_elses_identity_is_refused_without_saying_whose(ann, link_by, known, status):
    whose = builders.make_user(ann.pool, status=status)
    known(whose)

    error = refused(refusals.IdentityTaken, link_by, ann, "o9", "u9", app_id=SECOND)

    assert error.extra == {}
    assert whose.sub not in error.description


def test_an_identity_that_is_half_somebody_elses_is_refused(ann, link_by):
    builders.link_unionid(builders.make_user(ann.pool), "u9")
    builders.link_openid(ann, "o9", app_id=SECOND)

    refused(refusals.IdentityTaken, link_by, ann, "o9", "u9", app_id=SECOND)


def test_an_identity_of_an_erased_suspended_user_is_refused(ann, link_by):
    gone = builders.make_user(ann.pool, status="suspended")
    block(gone, [builders.link_unionid(gone, "u9")], now=timezone.now())
    gone.linked_accounts.all().delete()

    refused(refusals.IdentityTaken, link_by, ann, "o9", "u9", app_id=SECOND)


@pytest.mark.parametrize("unionid", [None, "u1", "u9"])
def test_another_wechat_account_of_the_same_app_is_refused(ann, link_by, unionid):
    refused(refusals.AlreadyLinked, link_by, ann, "o9", unionid)


def test_a_code_that_wechat_refuses_links_nothing(ann, link_by):
    refused(refusals.InvalidCode, link_by, ann, "", code="unknown-code")


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"archived_at": timezone.now()}], ids=["disabled", "archived"]
)
def test_a_source_that_isnt_offered_links_nothing(ann, link_by, change):
    IdentitySource.objects.filter(app_id=SECOND).update(**change)

    refused((IdentitySourceDisabled, LoginMethodDisabled), link_by, ann, "o9", app_id=SECOND)


SHUT_OUT = [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)]


@pytest.mark.parametrize(("status", "refusal_class"), SHUT_OUT)
def test_whoever_was_shut_out_meanwhile_links_nothing(ann, link_by, status, refusal_class):
    give(ann, status=status)

    refused(refusal_class, link_by, ann, "o9", app_id=SECOND)


@pytest.mark.parametrize("registration", ["open", "closed"])
@pytest.mark.parametrize("association", ["none", "field", "ask"])
def test_a_new_identity_is_linked_and_is_a_way_in(
    weixin, ann, link_by, second, registration, association
):
    IdentitySource.objects.update(registration=registration, association=association)

    link_by(ann, "o9", "u9", app_id=SECOND)

    assert groups_of(ann) == {frozenset({"o1", "u1"}), frozenset({"o9", "u9"})}
    assert weixin.enter("o9", "u9", app_id=SECOND).user == ann
    linked = AccountEvent.objects.get(kind="linked")
    assert (linked.user, linked.application, linked.identity_source, linked.facts) == (
        ann,
        weixin.tenant.application,
        second,
        {},
    )


def test_the_same_wechat_account_at_another_app_joins_its_identity(ann, link_by):
    link_by(ann, "o2", "u1", app_id=SECOND)

    assert groups_of(ann) == {frozenset({"o1", "u1", "o2"})}


def test_linking_once_more_changes_nothing(weixin, ann, link_by):
    link_by(ann, "o9", "u9", app_id=SECOND)
    before = count_rows()

    link_by(ann, "o9", "u9", app_id=SECOND)
    code = weixin.code("o9", "u9")
    for _ in range(2):
        link_by(ann, "o9", app_id=SECOND, code=code)

    assert (count_rows() - before).keys() == {"accounts.CodeExchange"}
    assert AccountEvent.objects.filter(kind="linked").count() == 1


def test_a_code_that_linked_cant_be_repeated_to_log_in(weixin, ann, link_by):
    """What was exchanged at one door is repeated at no other."""
    code = weixin.code("o9")
    link_by(ann, "o9", app_id=SECOND, code=code)

    weixin.enter("o9", app_id=SECOND, code=code)

    assert [sent for call, sent in weixin.asked].count(code) == 2


# Unlinking


@pytest.mark.parametrize("value", ["o1", "u1"])
def test_the_last_way_in_stays(ann, unlink_from, value):
    refused(refusals.LastWayIn, unlink_from, ann, value)


def test_an_identity_of_an_archived_source_alone_is_no_way_in(ann, unlink_from):
    builders.link_openid(ann, "o9", app_id=SECOND)
    IdentitySource.objects.filter(app_id=SECOND).update(archived_at=timezone.now())

    refused(refusals.LastWayIn, unlink_from, ann, "o1")


def test_nor_is_one_of_an_appid_that_only_another_pool_has(ann, globex, unlink_from):
    builders.link_openid(ann, "o9", app_id=globex.source.app_id)

    refused(refusals.LastWayIn, unlink_from, ann, "o1")


def test_an_appid_that_was_entered_again_is_a_way_in(weixin, ann, unlink_from):
    builders.link_openid(ann, "o9", app_id=SECOND)
    IdentitySource.objects.filter(app_id=SECOND).update(archived_at=timezone.now())
    weixin.add_source(SECOND, identifier="again")

    unlink_from(ann, "o1")

    assert groups_of(ann) == {frozenset({"o9"})}


def test_what_is_somebody_elses_or_of_another_pool_isnt_found(weixin, ann, globex, unlink_from):
    builders.link_openid(ann, "o9", app_id=SECOND)
    ben, stranger = builders.make_user(ann.pool), builders.make_user(globex.pool)
    for other in (ben, stranger):
        builders.link_openid(other, f"o-{other.sub}", app_id="wx00000000000000bb")
        refused(NoSuchLinkedAccount, unlink_from, ann, f"o-{other.sub}", of=other)


@pytest.mark.parametrize(("status", "refusal_class"), SHUT_OUT)
def test_whoever_was_shut_out_meanwhile_unlinks_nothing(ann, unlink_from, status, refusal_class):
    """Such as between the check of the token and the lock: refused, and no failure of ours."""
    builders.link_openid(ann, "o9", app_id=SECOND)
    give(ann, status=status)

    refused(refusal_class, unlink_from, ann, "o1")


@pytest.mark.parametrize("value", ["o1", "u1", "o2"])
def test_openids_and_unionid_of_an_identity_go_together(weixin, ann, link_by, unlink_from, value):
    link_by(ann, "o2", "u1", app_id=SECOND)
    builders.link_openid(ann, "o9", app_id="wx00000000000000bb")
    weixin.add_source("wx00000000000000bb")

    unlink_from(ann, value)

    assert groups_of(ann) == {frozenset({"o9"})}
    assert histories() >= {(ann.sub, "unlinked")}
    assert_invariants()


def test_who_was_unlinked_is_a_stranger(weixin, ann, link_by, unlink_from):
    link_by(ann, "o9", "u9", app_id=SECOND)
    unlink_from(ann, "o1")

    assert weixin.enter("o9", "u9", app_id=SECOND).user == ann
    stranger = weixin.enter("o1", "u1")
    assert (stranger.created, stranger.user == ann) == (True, False)


def test_sessions_that_came_by_the_identity_end_and_the_others_go_on(
    weixin, ann, link_by, unlink_from
):
    link_by(ann, "o9", app_id=SECOND)
    weixin.enter("o9", app_id=SECOND)
    weixin.enter("o1", "u1")

    unlink_from(ann, "o1")

    running = Session.objects.filter(ended_at=None)
    assert [session.identity_source.app_id for session in running] == [SECOND]
    ended = Session.objects.exclude(ended_at=None)
    assert {session.end_reason for session in ended} == {"unlinked"}
    assert ended.count() == 2


def test_another_users_sessions_at_that_app_go_on(weixin, ann, link_by, unlink_from):
    weixin.enter("o-ben")
    link_by(ann, "o9", app_id=SECOND)

    unlink_from(ann, "o1")

    assert Session.objects.filter(ended_at=None).exclude(user=ann).count() == 1


# The list


def test_identities_are_listed_in_the_order_in_which_they_were_linked(weixin, ann, link_by):
    link_by(ann, "o9", "u9", app_id=SECOND)
    LinkedAccount.objects.filter(user=ann, unionid="u9").update(first_seen_at="2020-01-01T00:00Z")

    listed = [
        (item.unionid, [row.openid for row in item.openids]) for item in linked_identities(ann)
    ]

    assert listed == [("u9", ["o9"]), ("u1", ["o1"])]


def test_of_two_unionids_of_an_identity_the_newest_is_shown(weixin, ann):
    weixin.enter("o1", "u2")

    (identity,) = linked_identities(ann)
    assert identity.unionid == "u2"

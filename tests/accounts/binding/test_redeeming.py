"""Redeeming a binding ticket: who is refused, who comes in, and what the ticket is worth after."""

import pytest
from django.utils import timezone

from accounts import refusals
from accounts.binding import redeeming
from accounts.binding.proofs import PasswordProof, PhoneCodeProof
from accounts.merging.merge import merge_by_hand
from accounts.models import BindingTicket, User
from applications.models import Application, LoginMethod
from applications.offers import ApplicationDisabled, IdentitySourceDisabled, LoginMethodDisabled
from config.kernel.errors import InvalidClient
from identity_sources.models import IdentitySource
from tests.accounts.binding.tickets import RIGHT, redeem, refused
from tests.support import builders
from tests.support.oidc import claims_of
from tests.support.people import give
from tests.support.records import assert_invariants, count_rows, event, events, groups_of

BIND = {"door": "bind", "identity_source__identifier": "live-cdef", "wechat_milliseconds": None}


@pytest.fixture
def member(acme):
    return builders.make_member(acme.pool)


WRONG = PasswordProof(email="ann@example.com", password="wrong")


# The ticket


def test_a_ticket_is_used_up_by_success_whatever_is_tried_next(ticket, member):
    word = ticket()
    redeem(word, RIGHT)

    for proof in (RIGHT, WRONG, None):
        refused(refusals.InvalidBindingTicket, word, proof)


def test_a_ticket_is_used_up_by_five_wrong_proofs(ticket, member):
    word = ticket()

    left = [refused(refusals.InvalidProof, word, WRONG).extra["proofs_left"] for _ in range(5)]

    assert left == [4, 3, 2, 1, 0]
    for proof in (RIGHT, WRONG, None):
        refused(refusals.InvalidBindingTicket, word, proof)


def test_the_fifth_proof_may_still_be_right(ticket, member):
    word = ticket()
    for _ in range(4):
        refused(refusals.InvalidProof, word, WRONG)

    assert redeem(word, RIGHT).user == member


def test_a_new_ticket_for_the_same_person_makes_the_old_one_no_worse(ticket, member):
    old, new = ticket("o1"), ticket("o1")

    assert redeem(new, RIGHT).user == redeem(old).user == member


# What was switched off since


@pytest.mark.parametrize(
    ("switch_off", "refusal_class"),
    [
        (lambda: Application.objects.update(enabled=False), ApplicationDisabled),
        (lambda: IdentitySource.objects.update(enabled=False), IdentitySourceDisabled),
        (lambda: LoginMethod.objects.update(enabled=False), LoginMethodDisabled),
        (lambda: IdentitySource.objects.update(archived_at=timezone.now()), LoginMethodDisabled),
        (lambda: LoginMethod.objects.all().delete(), refusals.InvalidBindingTicket),
    ],
)
@pytest.mark.parametrize("proof", [None, RIGHT])
def test_what_was_switched_off_since_refuses(ticket, member, switch_off, refusal_class, proof):
    word = ticket()
    switch_off()

    refused(refusal_class, word, proof)


@pytest.mark.parametrize("secret", [None, "another secret of more than 32 characters long"])
def test_a_confidential_application_proves_itself_again(weixin, ticket, member, secret):
    word = ticket()
    application = weixin.tenant.application
    application.client_authentication = "client_secret"
    application.save()

    refused(InvalidClient, word, secret=secret)


# A new account


def test_create_makes_a_new_user_with_the_identity_of_the_ticket(weixin, ticket):
    word = ticket("o1", "u1", scope="openid phone")

    login = redeem(word)

    assert (login.created, login.phone_status) == (True, None)
    assert groups_of(login.user) == {frozenset({"o1", "u1"})}
    assert login.tokens.scope == ("openid", "phone")
    assert claims_of(login.tokens.access_token)["sub"] == login.user.sub
    assert events()[1:] == [event(**BIND)]
    assert weixin.enter("o1", "u1").user == login.user


def test_create_stores_the_number_that_came_with_the_login(ticket):
    login = redeem(ticket("o1", number="13800138001"))

    assert login.phone_status == "stored"
    assert User.objects.get().phone_number == "+8613800138001"


def test_create_is_refused_where_the_source_is_login_only_and_leaves_the_ticket(ticket, member):
    word = ticket()
    IdentitySource.objects.update(registration="closed")

    refused(refusals.RegistrationClosed, word)

    assert User.objects.count() == 1
    assert redeem(word, RIGHT).user == member


# One of the person's accounts


def test_bind_gives_the_identity_to_the_account_that_was_proven(weixin, ticket, member):
    before = count_rows()

    login = redeem(ticket("o1", "u1"), RIGHT)

    assert (login.user, login.created) == (member, False)
    assert groups_of(member) == {frozenset({"o1", "u1"})}
    assert events()[1:] == [event(decision="bound", user__sub=member.sub, **BIND)]
    assert (count_rows() - before)["accounts.User"] == 0
    assert weixin.enter("o1", "u1").user == member
    assert BindingTicket.objects.get().used_at is not None


def test_another_wechat_account_of_another_app_is_no_hindrance(ticket, member):
    builders.link_openid(member, "o-elsewhere", app_id="wx00000000000000aa")
    builders.link_unionid(member, "u-elsewhere")

    assert redeem(ticket("o1", "u1"), RIGHT).user == member


def test_whoever_has_another_wechat_account_at_this_source_is_refused(ticket, member):
    builders.link_openid(member, "o-other")
    word = ticket("o1", "u1")

    refused(refusals.AlreadyLinked, word, RIGHT)

    assert groups_of(member) == {frozenset({"o-other"})}
    assert redeem(word).created


@pytest.mark.parametrize(
    ("status", "refusal_class"),
    [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)],
)
def test_an_account_that_isnt_active_is_refused_after_the_proof_alone(
    ticket, member, status, refusal_class
):
    give(member, status=status)
    word = ticket()

    refused(refusals.InvalidProof, word, WRONG)
    refused(refusal_class, word, RIGHT)

    assert events()[-1]["user__sub"] == member.sub


def test_a_tombstone_is_nobodys_account_and_its_survivor_takes_its_proofs(
    acme, ticket, member, operator
):
    older = builders.make_user(acme.pool)
    User.objects.filter(pk=older.pk).update(created_at="2020-01-01T00:00Z")
    older.refresh_from_db()
    merge_by_hand(older, member, operator=operator, now=timezone.now())

    assert redeem(ticket(), RIGHT).user == older
    assert_invariants()


def test_who_is_merged_between_proof_and_binding_is_bound_as_the_survivor(
    acme, ticket, member, operator, monkeypatch
):
    older = builders.make_user(acme.pool)
    User.objects.filter(pk=older.pk).update(created_at="2020-01-01T00:00Z")
    older.refresh_from_db()
    prove = redeeming.prove

    def prove_and_be_merged(*arguments, **fields):
        target = prove(*arguments, **fields)
        merge_by_hand(older, member, operator=operator, now=timezone.now())
        return target

    monkeypatch.setattr(redeeming, "prove", prove_and_be_merged)

    assert redeem(ticket(), RIGHT).user == older
    assert_invariants()


def test_an_account_of_another_pool_is_nobodys(globex, ticket):
    builders.make_member(globex.pool)

    refused(refusals.InvalidProof, ticket(), RIGHT)


# The identity found a user meanwhile


@pytest.mark.parametrize("proof", [None, RIGHT])
@pytest.mark.parametrize("by", ["openid", "unionid"])
def test_whoever_found_a_user_meanwhile_is_that_user(weixin, ticket, member, proof, by):
    word = ticket("o1", "u1")
    user = builders.make_user(weixin.tenant.pool)
    link = {"openid": builders.link_openid, "unionid": builders.link_unionid}[by]
    link(user, {"openid": "o1", "unionid": "u1"}[by])

    login = redeem(word, proof)

    assert (login.user, login.created) == (user, False)
    assert groups_of(member) == set()
    assert groups_of(user) == {frozenset({"o1", "u1"})}
    assert events()[-1]["decision"] == f"matched_{by}"


@pytest.mark.parametrize(
    ("status", "refusal_class"),
    [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)],
)
@pytest.mark.parametrize("proof", [None, RIGHT])
def test_the_status_of_a_user_found_meanwhile_decides_first(
    weixin, ticket, member, proof, status, refusal_class
):
    word = ticket("o1")
    user = builders.make_user(weixin.tenant.pool, status=status)
    builders.link_openid(user, "o1")

    refused(refusal_class, word, proof)


def test_a_conflict_found_meanwhile_is_refused_and_held(weixin, ticket):
    word = ticket("o1", "u1")
    user = builders.make_user(weixin.tenant.pool)
    builders.link_unionid(user, "u1")
    builders.link_openid(user, "o-other")

    refused(refusals.IdentityConflict, word)

    assert user.conflicts.get().openid == "o1"


# Phone numbers as proofs (the rest is in test_proofs.py)


@pytest.mark.parametrize("with_login", [True, False])
def test_a_number_proves_whether_it_came_with_the_login_or_after(weixin, ticket, with_login):
    verified = {"phone_number": "+8613800138001", "phone_number_verified_at": timezone.now()}
    holder = builders.make_user(weixin.tenant.pool, **verified)
    word = ticket("o1", **({"number": "13800138001"} if with_login else {}))
    code = None if with_login else weixin.phone_code("13800138001", "o1")

    login = redeem(word, PhoneCodeProof(phone_code=code))

    assert (login.user, login.phone_status) == (holder, "unchanged")
    assert events()[-1]["phone_status"] == "unchanged"

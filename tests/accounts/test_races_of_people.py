"""What changes a person's accounts, racing a login or itself: nobody is lost, locked in or doubled.

Who comes first is chance, so each race is run twice, or as often as RACES says; what has to hold
afterwards doesn't depend on it.
"""

import itertools
import os

import pytest
from django.utils import timezone

from accounts.binding.proofs import PasswordProof
from accounts.binding.redeeming import BindRequest, bind
from accounts.merging.merge import CannotMerge, merge_by_hand
from accounts.merging.undo import CannotUndo, undo
from accounts.models import BindingTicket, LinkedAccount, Merge, Session, User, linked_identities
from accounts.refusals import AccountBindingRequired
from accounts.users.closing import close
from accounts.users.linking import link, unlink
from accounts.users.suspension import suspend
from applications.client_authentication import ClientCredentials
from config.kernel.errors import DomainError
from tests.support import builders
from tests.support.records import assert_invariants

FIRST, SECOND, THIRD = builders.LIVE_APP_ID, "wx00000000000000aa", "wx00000000000000bb"
ROUNDS = range(int(os.environ.get("RACES", "2")))
SIDE = 6
"""How many do the same at once."""


@pytest.fixture(autouse=True)
def many_connections(threaded_database):
    """Every test here needs a database for many threads."""


@pytest.fixture
def apps(weixin):
    """Acme with three mini programs."""
    weixin.add_source(SECOND)
    weixin.add_source(THIRD)
    return weixin


@pytest.fixture
def race(together):
    """Do several things at once; return what each came to, a refusal by its word."""

    def outcome(work):
        try:
            return work()
        except (CannotMerge, CannotUndo) as refusal:
            return type(refusal).__name__
        except DomainError as refusal:
            return refusal.code

    def run(*works):
        outcomes = together(outcome, list(works))
        assert not {"service_unavailable", "server_error"} & set(map(str, outcomes))
        assert_invariants()
        return outcomes

    return run


def logins(apps, openid, unionid=None, app_id=FIRST, times=SIDE):
    return [lambda: apps.enter(openid, unionid, app_id=app_id)] * times


def subs(outcomes):
    """Return who was let in by those that were logins, and what the others came to."""
    return {getattr(getattr(outcome, "user", None), "sub", outcome) for outcome in outcomes}


def holders(*values):
    rows = LinkedAccount.objects.filter(openid__in=values) | LinkedAccount.objects.filter(
        kind="unionid", unionid__in=values
    )
    return set(rows.values_list("user__sub", flat=True))


@pytest.mark.parametrize("number", ROUNDS)
def test_two_users_who_are_one_log_in_from_both_sides(apps, race, number):
    older = apps.enter("o1").user
    younger = apps.enter("o2", "u", app_id=SECOND).user

    outcomes = race(*logins(apps, "o1", "u"), *logins(apps, "o2", "u", SECOND))

    assert subs(outcomes) <= {older.sub, younger.sub}
    assert holders("o1", "o2", "u") == {older.sub}
    assert Merge.objects.count() == 1
    assert {apps.enter("o2", "u", app_id=SECOND).user.sub} == {older.sub}


@pytest.mark.parametrize("number", ROUNDS)
def test_three_users_who_are_one_log_in_from_all_sides(apps, race, number):
    first = apps.enter("o1").user
    apps.enter("o2", app_id=SECOND)
    apps.enter("o3", "u", app_id=THIRD)

    race(
        *logins(apps, "o1", "u", times=4),
        *logins(apps, "o2", "u", SECOND, times=4),
        *logins(apps, "o3", "u", THIRD, times=4),
    )

    assert holders("o1", "o2", "o3", "u") == {first.sub}
    assert User.objects.filter(status="active").count() == 1
    assert set(User.objects.filter(status="merged").values_list("merged_into__sub", flat=True)) == {
        first.sub
    }


@pytest.mark.parametrize("number", ROUNDS)
def test_of_two_ways_in_that_are_unlinked_at_once_one_stays(apps, race, number):
    user = apps.enter("o1").user
    builders.link_openid(user, "o2", app_id=SECOND)
    application, now = apps.tenant.application, timezone.now()

    outcomes = race(
        *[
            lambda key=item.id: unlink(user, application, key, now=now)
            for item in linked_identities(user)
        ]
    )

    assert sorted(map(str, outcomes)) == ["None", "last_way_in"]
    assert len(linked_identities(user)) == 1


@pytest.mark.parametrize("number", ROUNDS)
def test_an_unlinking_racing_logins_by_what_is_unlinked_leaves_a_whole_identity(apps, race, number):
    user = apps.enter("o1", "u").user
    builders.link_openid(user, "o2", app_id=SECOND)
    going = next(item for item in linked_identities(user) if item.unionid)
    application, now = apps.tenant.application, timezone.now()

    race(
        lambda: unlink(user, application, going.id, now=now),
        *logins(apps, "o1", "u"),
    )

    assert len(holders("o1", "u")) <= 1
    assert holders("o2") == {user.sub}
    assert apps.enter("o1", "u").user.sub in holders("o1", "u")
    assert holders("o1", "u") != {user.sub}


@pytest.mark.parametrize("number", ROUNDS)
def test_a_linking_racing_a_first_login_of_the_same_person_gives_it_to_one(apps, race, number):
    user, application = apps.enter("o1").user, apps.tenant.application
    code = apps.code("o9", "u9")

    linked, *outcomes = race(
        lambda: link(user, application, code, f"live-{SECOND[-4:]}", now=timezone.now()),
        *logins(apps, "o9", "u9", SECOND),
    )

    assert linked in {None, "identity_taken"}
    assert holders("o9", "u9") == subs(outcomes)
    assert (holders("o9") == {user.sub}) is (linked is None)


def ticket_of(apps, openid, unionid=None):
    apps.tenant.pool.identity_sources.filter(app_id=FIRST).update(association="ask")
    with pytest.raises(AccountBindingRequired) as refused:
        apps.enter(openid, unionid)
    return refused.value.extra["binding_ticket"]


def binds(apps, ticket, proof, times=SIDE):
    request = BindRequest(client=ClientCredentials("acme-shop"), ticket=ticket, proof=proof)
    return [lambda: bind(request, now=timezone.now())] * times


@pytest.fixture
def proof(apps):
    """The proof of somebody who has an account with a password."""
    user = builders.make_member(apps.tenant.pool)
    return PasswordProof(email=user.email, password=builders.MEMBERS_PASSWORD)


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("actions", ["create", "bind", "both"])
def test_of_those_who_redeem_a_ticket_at_once_one_wins(apps, race, proof, number, actions):
    ticket, before = ticket_of(apps, "o1", "u"), Session.objects.count()
    proofs = {"create": [None, None], "bind": [proof, proof], "both": [None, proof]}[actions]

    outcomes = race(*[work for one in proofs for work in binds(apps, ticket, one, times=2)])

    assert len([won for won in outcomes if not isinstance(won, str)]) == 1
    assert {lost for lost in outcomes if isinstance(lost, str)} == {"invalid_binding_ticket"}
    assert len(holders("o1", "u")) == 1
    assert BindingTicket.objects.get().used_at is not None
    assert Session.objects.count() == before + 1


def test_of_many_wrong_proofs_at_once_five_are_looked_at(apps, race, proof):
    ticket = ticket_of(apps, "o1")
    wrong = PasswordProof(email=proof.email, password="wrong")

    outcomes = race(*binds(apps, ticket, wrong, times=12))

    assert outcomes.count("invalid_proof") == 5
    assert outcomes.count("invalid_binding_ticket") == 7
    assert BindingTicket.objects.get().failed_proofs == 5


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("binding", [True, False])
def test_a_binding_racing_a_first_login_of_the_same_person_makes_one_user(
    apps, race, proof, number, binding
):
    ticket = ticket_of(apps, "o1", "u")

    outcomes = race(
        *binds(apps, ticket, proof if binding else None, times=1),
        *logins(apps, "o2", "u", SECOND),
    )

    assert len(subs(outcomes)) == 1
    assert holders("o1", "o2", "u") == subs(outcomes)


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize(
    ("shut_out", "word"),
    [(suspend, "user_suspended"), (close, "account_closed")],
    ids=["suspending", "closing"],
)
def test_whoever_is_shut_out_while_they_log_in_has_no_session(apps, race, shut_out, word, number):
    user = apps.enter("o1", "u").user

    outcomes = race(
        lambda: shut_out(user, now=timezone.now()),
        *logins(apps, "o1", "u"),
        *logins(apps, "o2", "u", SECOND),
    )

    assert subs(outcomes[1:]) <= {user.sub, word}
    assert Session.objects.filter(ended_at=None).count() == 0


@pytest.mark.parametrize("number", ROUNDS)
def test_a_merge_by_hand_racing_logins_of_the_merged_user(apps, race, operator, number):
    older, younger = apps.enter("o1").user, apps.enter("o2", "u", app_id=SECOND).user

    outcomes = race(
        *[lambda: merge_by_hand(older, younger, operator=operator, now=timezone.now())] * 2,
        *logins(apps, "o2", "u", SECOND),
    )

    assert [made for made in outcomes[:2] if made == "CannotMerge"] == ["CannotMerge"]
    assert subs(outcomes[2:]) <= {older.sub, younger.sub}
    assert holders("o1", "o2", "u") == {older.sub}


@pytest.mark.parametrize("number", ROUNDS)
def test_an_undoing_racing_logins_of_both(apps, race, operator, number):
    older, younger = apps.enter("o1").user, apps.enter("o2", "u", app_id=SECOND).user
    made = merge_by_hand(older, younger, operator=operator, now=timezone.now())

    outcomes = race(
        *[lambda: undo(made, operator=operator, now=timezone.now())] * 2,
        *logins(apps, "o1", "u"),
        *logins(apps, "o2", "u", SECOND),
    )

    assert outcomes[:2].count("CannotUndo") == 1
    assert holders("o1") == {older.sub}
    assert holders("o2", "u") == {younger.sub}
    assert apps.enter("o2", "u", app_id=SECOND).user == younger


@pytest.mark.parametrize("number", ROUNDS)
def test_a_number_that_several_prove_at_once_is_one_persons(apps, race, number):
    people = [f"o{n}" for n in range(SIDE)]

    outcomes = race(*[lambda one=one: apps.enter(one, number="13800138001") for one in people])

    statuses = [login.phone_status for login in outcomes]
    assert sorted(statuses) == ["stored"] + ["taken"] * (SIDE - 1)
    assert User.objects.filter(phone_number="+8613800138001").count() == 1


def test_people_who_race_each_other_stay_apart(apps, race):
    people = [(f"o{n}", f"u{n}") for n in range(8)]

    race(*itertools.chain.from_iterable(logins(apps, *one, times=3) for one in people))

    assert {holders(*one).pop() for one in people} == set(
        User.objects.values_list("sub", flat=True)
    )
    assert User.objects.count() == len(people)

"""The rules of a login: what it writes, and whom it refuses; test_table.py has its table."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts import refusals
from accounts.login.rules import LoginRequest, log_in
from accounts.models import LinkedAccount, LoginEvent, RefreshToken, Session, User
from applications.client_authentication import ClientCredentials
from applications.rules import Way
from config.kernel.encryption import token_hash
from config.kernel.errors import ServiceUnavailable
from identity_sources.models import IdentitySource
from identity_sources.sandbox import openid_of, unionid_of
from tests.support import builders
from tests.support.records import count_rows, event, events, linked_rows, refusal

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)

SHOP = builders.MINI_APP_ID
SECOND = builders.SECOND_MINI_APP_ID
UNBOUND = builders.UNBOUND_APP_ID

ALICE = openid_of(SHOP, "alice")
ALICE_SECOND = openid_of(SECOND, "alice")
ALICE_UNION = unionid_of(SHOP, "alice")
OTHER = "oSANDBOX_somebody_else"


def enter(person="alice", app_id=SHOP, *, client_id="acme-shop", source=None, scope=None):
    """Log a person in with a fresh code of an app's, as every door does."""
    return log_in(
        LoginRequest(
            door="test",
            way=Way.MINI_PROGRAM,
            client=ClientCredentials(client_id),
            identity_source=source,
            code=builders.wx_login(person, app_id),
            scope=scope,
        ),
        now=NOW,
    )


def link_openid(user, openid=ALICE, *, app_id=SHOP, unionid=""):
    return LinkedAccount.objects.create(
        pool=user.pool,
        user=user,
        kind="openid",
        app_id=app_id,
        openid=openid,
        unionid=unionid,
        first_seen_at=BEFORE,
        last_seen_at=BEFORE,
    )


def link_unionid(user, unionid=ALICE_UNION):
    return LinkedAccount.objects.create(
        pool=user.pool,
        user=user,
        kind="unionid",
        unionid=unionid,
        first_seen_at=BEFORE,
        last_seen_at=BEFORE,
    )


def add_source(tenant, app_id, **fields):
    """Let the tenant's application offer one more mini program."""
    identifier = f"{tenant.pool.identifier}-{app_id[-3:]}"
    source = builders.make_source(tenant.pool, identifier=identifier, app_id=app_id, **fields)
    builders.offer(tenant.application, source, position=1)
    return source


@pytest.fixture
def unbound(acme):
    """Make Acme's only mini program one without an Open Platform account: no UnionID."""
    acme.method.delete()
    return add_source(acme, UNBOUND)


OPENID_ROW = ("openid", SHOP, ALICE, ALICE_UNION)
UNIONID_ROW = ("unionid", "", "", ALICE_UNION)


# UnionID absent


def test_a_new_person_without_a_unionid_gets_an_openid_row_alone(acme, unbound):
    login = enter(app_id=UNBOUND)

    assert login.created
    assert linked_rows() == {("openid", UNBOUND, openid_of(UNBOUND, "alice"), "")}
    assert events() == [event(door="test", identity_source__identifier="acme-001")]


def test_a_known_person_without_a_unionid_is_found_and_keeps_the_unionid_seen_before(acme, unbound):
    user = builders.make_user(acme.pool)
    link_openid(user, openid_of(UNBOUND, "alice"), app_id=UNBOUND, unionid=ALICE_UNION)
    before = linked_rows()

    login = enter(app_id=UNBOUND)

    assert (login.user, login.created) == (user, False)
    assert linked_rows() == before


def test_two_people_without_unionids_are_two_users(acme, unbound):
    assert enter("alice", UNBOUND).user != enter("bob", UNBOUND).user


# Rows and events of a login


def test_a_first_login_writes_one_row_of_each_kind(acme):
    before = count_rows()

    enter()

    assert count_rows() - before == {
        "accounts.User": 1,
        "accounts.LinkedAccount": 2,
        "accounts.Session": 1,
        "accounts.RefreshToken": 1,
        "accounts.LoginEvent": 1,
        "accounts.CodeExchange": 1,
    }


def test_a_session_says_who_came_in_from_where_and_when(acme):
    login = enter()

    session = Session.objects.get()
    assert (session.pool, session.user, session.application, session.identity_source) == (
        acme.pool,
        login.user,
        acme.application,
        acme.source,
    )
    assert (session.way, session.auth_time, session.ended_at) == ("mini_program", NOW, None)


def test_the_refresh_token_is_stored_as_a_hash_with_its_family(acme):
    login = enter()

    row = RefreshToken.objects.get()
    assert bytes(row.token_hash) == token_hash(login.tokens.refresh_token)
    assert (row.session.user, row.scope) == (
        login.user,
        "openid profile phone account offline_access",
    )
    assert (row.created_at, row.used_at, row.revoked_at) == (NOW, None, None)
    assert row.expires_at == NOW + acme.application.refresh_token_idle_lifetime
    assert row.family_expires_at == NOW + acme.application.refresh_token_absolute_lifetime


def test_each_login_begins_a_session_of_its_own(acme):
    enter()
    enter()

    assert Session.objects.filter(ended_at=None).count() == 2


def test_a_returning_login_notes_when_the_openid_was_seen(acme):
    user = builders.make_user(acme.pool)
    row = link_openid(user)

    enter()

    row.refresh_from_db()
    assert (row.first_seen_at, row.last_seen_at, row.unionid) == (BEFORE, NOW, ALICE_UNION)


def test_an_event_holds_ids_but_nothing_personal(acme):
    enter()

    assert ALICE not in str(events())
    assert ALICE_UNION not in str(events())


# Late UnionID, several apps, pools apart


def test_a_unionid_that_appears_late_is_added_and_joins_the_second_app(acme):
    user = builders.make_user(acme.pool)
    link_openid(user)
    add_source(acme, SECOND)

    first = enter(source="acme-mini")
    second = enter(app_id=SECOND, source="acme-002")

    assert first.user == second.user == user
    assert not second.created
    assert linked_rows(user) == {
        OPENID_ROW,
        UNIONID_ROW,
        ("openid", SECOND, ALICE_SECOND, ALICE_UNION),
    }
    assert [(row["decision"], row["unionid_added"]) for row in events()] == [
        ("matched_openid", True),
        ("matched_unionid", False),
    ]


def test_people_of_one_app_stay_apart_in_the_second(acme):
    add_source(acme, SECOND)
    alice, bob = enter("alice", source="acme-mini").user, enter("bob", source="acme-mini").user

    assert enter("bob", SECOND, source="acme-002").user == bob
    assert enter("alice", SECOND, source="acme-002").user == alice
    assert User.objects.count() == 2


def test_two_who_turn_out_to_be_one_are_merged_and_found_by_either_app(acme):
    """A came first without a UnionID, B has it from the second app: B becomes A."""
    a, b = builders.make_user(acme.pool), builders.make_user(acme.pool)
    link_openid(a)
    link_openid(b, ALICE_SECOND, app_id=SECOND, unionid=ALICE_UNION)
    link_unionid(b)
    add_source(acme, SECOND)

    assert enter(source="acme-mini").user == a
    assert enter(source="acme-mini").user == a
    assert enter(app_id=SECOND, source="acme-002").user == a
    second_row = ("openid", SECOND, ALICE_SECOND, ALICE_UNION)
    assert linked_rows(a) == linked_rows() == {OPENID_ROW, UNIONID_ROW, second_row}
    assert [row["decision"] for row in events()] == ["merged"] + ["matched_openid"] * 2
    assert [row["conflict"] for row in events()] == [""] * 3


def test_where_the_pool_says_review_nothing_moves_and_it_is_recorded_each_time(acme):
    a, b = builders.make_user(acme.pool), builders.make_user(acme.pool)
    acme.pool.merge = "review"
    acme.pool.save()
    link_openid(a)
    link_openid(b, ALICE_SECOND, app_id=SECOND, unionid=ALICE_UNION)
    link_unionid(b)
    add_source(acme, SECOND)
    before = list(b.linked_accounts.filter(kind="unionid").values())

    assert enter(source="acme-mini").user == a
    assert enter(source="acme-mini").user == a
    assert list(b.linked_accounts.filter(kind="unionid").values()) == before
    assert enter(app_id=SECOND, source="acme-002").user == b
    assert linked_rows(a) == {OPENID_ROW}
    assert linked_rows(b) == {("openid", SECOND, ALICE_SECOND, ALICE_UNION), UNIONID_ROW}
    assert [row["conflict"] for row in events()] == ["unionid_of_another_user"] * 2 + [""]


def test_a_second_openid_of_the_same_app_is_refused_and_changes_nothing(acme):
    user = builders.make_user(acme.pool)
    link_openid(user, OTHER, unionid=ALICE_UNION)
    link_unionid(user)
    before, rows = linked_rows(), count_rows()

    with pytest.raises(refusals.IdentityConflict):
        enter()

    assert linked_rows() == before
    held = {"accounts.LoginEvent": 1, "accounts.CodeExchange": 1, "accounts.Conflict": 1}
    assert count_rows() - rows == held
    assert events() == [refusal("identity_conflict", door="test")]


def test_another_openid_of_another_app_is_no_conflict(acme):
    user = builders.make_user(acme.pool)
    link_openid(user, OTHER, app_id=SECOND, unionid=ALICE_UNION)
    link_unionid(user)

    assert enter().user == user


def test_the_same_openid_text_of_another_app_is_somebody_else(acme):
    """OpenIDs are unique per AppID only."""
    user = builders.make_user(acme.pool)
    link_openid(user, ALICE, app_id=SECOND)

    assert enter().user != user


def test_the_same_person_in_two_pools_is_two_users(acme, globex):
    here = enter()
    there = enter(app_id=SECOND, client_id="globex-shop")

    assert here.created
    assert there.created
    assert (here.user.pool, there.user.pool) == (acme.pool, globex.pool)
    assert here.user.sub != there.user.sub


def test_one_app_in_two_pools_makes_two_users_with_the_same_openid(acme, globex):
    """An AppID occurs once per pool, not once per installation."""
    globex.method.delete()
    add_source(globex, SHOP)

    here, there = enter(), enter(client_id="globex-shop")

    assert here.created
    assert there.created
    assert linked_rows(here.user) == linked_rows(there.user) == {OPENID_ROW, UNIONID_ROW}


def test_a_status_in_one_pool_says_nothing_in_another(acme, globex):
    enter()
    User.objects.update(status=User.Status.SUSPENDED)

    assert enter(app_id=SECOND, client_id="globex-shop").created


# An AppID that was archived and entered again


def test_the_same_appid_entered_again_takes_its_people_up(acme):
    user = enter().user
    acme.source.archived_at = NOW
    acme.source.save()
    again = builders.make_source(acme.pool, identifier="acme-again")
    builders.offer(acme.application, again)

    login = enter()

    assert (login.user, login.created) == (user, False)
    assert events()[1]["identity_source__identifier"] == "acme-again"


# A status decides first


@pytest.mark.parametrize(
    ("status", "refusal_class"),
    [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)],
)
@pytest.mark.parametrize(
    "known", ["by OpenID", "by both", "by UnionID", "A's UnionID is B's", "B's OpenID is A's"]
)
@pytest.mark.parametrize("registration", ["open", "closed"])
def test_a_status_decides_before_anything_else(acme, status, refusal_class, known, registration):
    acme.source.registration = registration
    acme.source.save()
    inactive = builders.make_user(acme.pool, status=status)
    active = builders.make_user(acme.pool)
    if known in {"by OpenID", "by both"}:
        link_openid(inactive)
    if known in {"by UnionID", "by both"}:
        link_unionid(inactive)
    if known == "A's UnionID is B's":
        link_openid(inactive)
        link_unionid(active)
    if known == "B's OpenID is A's":
        link_openid(active)
        link_unionid(inactive)
    before, rows = linked_rows(), count_rows()

    with pytest.raises(refusal_class):
        enter()

    assert linked_rows() == before
    assert count_rows() - rows == {"accounts.LoginEvent": 1, "accounts.CodeExchange": 1}
    assert events() == [refusal(refusal_class.code, door="test", user__sub=inactive.sub)]


@pytest.mark.parametrize(
    ("status", "refusal_class"),
    [("suspended", refusals.UserSuspended), ("closed", refusals.AccountClosed)],
)
def test_a_status_decides_before_a_conflict(acme, status, refusal_class):
    inactive = builders.make_user(acme.pool, status=status)
    link_openid(inactive, OTHER, unionid=ALICE_UNION)
    link_unionid(inactive)

    with pytest.raises(refusal_class):
        enter()


def test_a_user_who_is_active_again_comes_in_as_before(acme):
    user = enter().user
    User.objects.update(status=User.Status.SUSPENDED)
    with pytest.raises(refusals.UserSuspended):
        enter()
    User.objects.update(status=User.Status.ACTIVE)

    assert enter().user == user


# Login-only


def close_registration(acme):
    acme.source.registration = IdentitySource.Registration.CLOSED
    acme.source.save()


def test_a_login_only_source_refuses_whom_nobody_knows(acme):
    close_registration(acme)

    with pytest.raises(refusals.RegistrationClosed):
        enter()

    assert User.objects.count() == LinkedAccount.objects.count() == 0


def test_a_login_only_source_lets_in_whom_it_knows_by_openid(acme):
    user = enter().user
    close_registration(acme)

    assert enter().user == user


def test_a_login_only_source_lets_in_whom_the_pool_knows_by_unionid(acme):
    user = enter().user
    add_source(acme, SECOND, registration=IdentitySource.Registration.CLOSED)

    assert enter(app_id=SECOND, source="acme-002").user == user


def test_a_login_only_source_knows_nobody_of_another_pool(acme, globex):
    globex.method.delete()
    add_source(globex, SHOP, registration=IdentitySource.Registration.CLOSED)
    enter()

    with pytest.raises(refusals.RegistrationClosed):
        enter(client_id="globex-shop")


# What nobody may see


def test_a_request_does_not_show_its_secrets_when_printed():
    request = LoginRequest(
        door="test",
        way=Way.MINI_PROGRAM,
        client=ClientCredentials("acme-shop", "the secret"),
        identity_source=None,
        code="the code",
        phone_code="the phone code",
        bound_to="the operator's session",
    )

    assert "the " not in repr(request)


def test_a_conflict_that_cant_be_held_is_recorded_as_that(acme, log_in, monkeypatch):
    user = builders.make_user(acme.pool)
    builders.link_unionid(user, unionid_of(acme.source.app_id, "alice"))
    builders.link_openid(user, "another-openid", app_id=acme.source.app_id)

    def fail(*_args, **_kwargs):
        raise ServiceUnavailable

    monkeypatch.setattr("accounts.login.trail.hold_openid", fail)

    assert log_in().status_code == 503
    assert [event.error for event in LoginEvent.objects.all()] == ["service_unavailable"]

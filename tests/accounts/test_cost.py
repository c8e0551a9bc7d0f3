"""What a login costs the database: every statement, in order, and none while WeChat is asked."""

import math
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.login.exchange import PATIENCE
from accounts.login.waiting import LOOK_AGAIN_SECONDS
from accounts.models import CodeExchange, LinkedAccount
from config.kernel.memory import forget_configuration
from identity_sources.models import IdentitySource
from identity_sources.wechat.errors import InvalidCode
from tests.support import builders
from tests.support.oidc import bearer
from tests.support.statements import parts, round_trips

READ_CONFIGURATION = [
    "SELECT applications_application",
    "SELECT applications_loginmethod",
    "SELECT applications_redirecturi",
]
ASK_WECHAT = ["asks jscode2session"]
FIND = [
    *(["SELECT accounts_user FOR NO KEY UPDATE"] if connection.vendor == "postgresql" else []),
    "SELECT accounts_linkedaccount",
]
STORE = [
    "INSERT accounts_session",
    "INSERT accounts_refreshtoken",
    "INSERT accounts_loginevent",
]
KEEP_IDENTITY = ["INSERT accounts_codeexchange"]
REPEATED = ["BEGIN", *FIND, *STORE, "COMMIT"]
RETURNING = [*ASK_WECHAT, "BEGIN", *FIND, *STORE, *KEEP_IDENTITY, "COMMIT"]
MOST_STATEMENTS = 6


@pytest.fixture
def statements(transactional_db, wechat, monkeypatch):
    """Return what a piece of work says to the database, with WeChat's calls among it."""
    # Once a minute a login also sweeps; here that would come at any moment.
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", math.inf)
    # What is in memory stays there, however slow the machine is.
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)
    monkeypatch.setattr("accounts.login.throttles.FULL_READ_SECONDS", math.inf)
    # A connection that is closed between two logins isn't idle for long.
    monkeypatch.setattr("config.kernel.postgresql.base.IDLE_SECONDS", math.inf)

    def note_call():
        connection.queries_log.append({"sql": "asks"})

    def listen(work):
        wechat.exchanges.clear()
        wechat.listeners.append(note_call)
        with CaptureQueriesContext(connection) as log:
            assert work().status_code in {200, 400, 401, 403}
        wechat.listeners.remove(note_call)
        calls = iter(wechat.calls)
        return [
            said
            for sql in (query["sql"] for query in log)
            for said in ([f"asks {next(calls)}"] if sql == "asks" else parts(sql))
        ]

    return listen


@pytest.fixture
def known(statements, acme, log_in):
    """Let Alice log in once, which also brings the pool's keys into this process."""
    assert log_in().status_code == 200


def test_a_returning_login_says_exactly_this_to_the_database(known, statements, log_in):
    said = statements(log_in)

    assert said == RETURNING
    assert len(RETURNING[2:-1]) <= MOST_STATEMENTS


def test_the_database_cache_is_asked_five_times_a_second_at_most(
    known, statements, log_in, database_cache, monkeypatch
):
    monkeypatch.setattr("accounts.login.throttles.FULL_READ_SECONDS", 0)
    assert statements(log_in) == ["SELECT unionpass_cache", *RETURNING]

    monkeypatch.setattr("accounts.login.throttles.FULL_READ_SECONDS", math.inf)
    assert statements(log_in) == RETURNING


def test_a_first_login_adds_the_user_and_the_linked_accounts(known, statements, log_in):
    said = statements(lambda: log_in("bob"))

    assert said == [
        *ASK_WECHAT,
        "BEGIN",
        *FIND,
        "SELECT accounts_blockedidentity",
        "INSERT accounts_user",
        "INSERT accounts_linkedaccount",
        "INSERT accounts_linkedaccount",
        *STORE,
        *KEEP_IDENTITY,
        "COMMIT",
    ]


def test_the_first_login_of_a_process_reads_the_configuration(statements, acme, log_in):
    first, second = statements(log_in), statements(log_in)

    read = [*READ_CONFIGURATION, "SELECT userpools_signingkey"]
    assert [sql for sql in first if sql in read] == read
    assert second == RETURNING


def test_two_seconds_later_a_login_reads_it_anew_but_not_the_keys(
    known, statements, log_in, monkeypatch
):
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", 0)
    forget_configuration()

    said = statements(log_in)

    assert said == [*READ_CONFIGURATION, *RETURNING]


def test_without_a_refresh_token_there_is_one_statement_less(known, statements, log_in):
    said = statements(lambda: log_in(scope="openid"))

    assert "INSERT accounts_refreshtoken" not in said
    assert len(said) == len(RETURNING) - 1


def test_a_confidential_application_costs_no_more(known, acme, statements, log_in):
    application = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(application, acme.source)
    safe = {"client_id": "acme-safe", "client_secret": builders.CLIENT_SECRET}
    log_in(**safe)

    said = statements(lambda: log_in(**safe))

    assert said == RETURNING


def test_a_replay_reads_what_was_kept(known, statements, log_in):
    code = builders.wx_login()
    log_in(code=code)

    said = statements(lambda: log_in(code=code))

    assert said == [*ASK_WECHAT, "SELECT accounts_codeexchange", *REPEATED]


def test_a_person_who_wasnt_seen_for_an_hour_costs_one_update(known, statements, log_in):
    LinkedAccount.objects.update(last_seen_at=timezone.now() - timedelta(hours=2))

    first, second = statements(log_in), statements(log_in)

    place = RETURNING.index("INSERT accounts_session")
    assert first == [*RETURNING[:place], "UPDATE accounts_linkedaccount", *RETURNING[place:]]
    assert second == RETURNING


@pytest.mark.postgresql
def test_a_returning_login_is_exactly_this_many_round_trips(known, statements, log_in):
    with round_trips() as made:
        statements(log_in)

    assert made == [
        "BEGIN",
        "together",  # lock the user; linked accounts and users
        "statement",  # session, refresh token, event, the code's identity
        "COMMIT",
    ]


@pytest.mark.postgresql
def test_a_first_login_is_exactly_this_many_round_trips(known, statements, log_in):
    with round_trips() as made:
        statements(lambda: log_in("bob"))

    assert made == [
        "BEGIN",
        "together",  # no user, no linked accounts
        "statement",  # blocked identities
        "statement",  # user, linked accounts, session, refresh token, event, the code's identity
        "COMMIT",
    ]


def test_once_a_minute_a_login_sweeps_after_it_asked_wechat(known, statements, log_in, monkeypatch):
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", 0)

    CodeExchange.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    first, second = statements(log_in), statements(log_in)

    assert first == [
        *ASK_WECHAT,
        *("SELECT accounts_codeexchange", "BEGIN", "DELETE accounts_codeexchange", "COMMIT"),
        *RETURNING[1:],
    ]
    assert second == RETURNING


@pytest.mark.postgresql
def test_a_returning_login_locks_the_user_but_lets_foreign_keys_pass(known, log_in):
    with CaptureQueriesContext(connection) as log:
        log_in()

    locks = [query["sql"] for query in log if " FOR " in query["sql"]]
    assert [sql.rpartition(" FOR ")[2] for sql in locks] == ["NO KEY UPDATE"]


def test_an_unknown_application_costs_one_statement(known, statements, log_in):
    said = statements(lambda: log_in(client_id="nobody"))

    assert said == ["SELECT applications_application"]


def test_a_refused_code_costs_a_few_looks_and_the_event(known, statements, log_in):
    said = statements(lambda: log_in(code="never-issued"))

    looks = said.count("SELECT accounts_codeexchange")
    assert 2 <= looks <= 1 + PATIENCE[InvalidCode] / LOOK_AGAIN_SECONDS
    assert said == [
        *ASK_WECHAT,
        *["SELECT accounts_codeexchange"] * looks,
        *("BEGIN", "INSERT accounts_loginevent", "COMMIT"),
    ]


def test_a_login_that_we_refuse_costs_the_event_and_the_identity(known, acme, statements, log_in):
    IdentitySource.objects.update(registration="closed")
    log_in("carol")

    said = statements(lambda: log_in("bob"))

    assert said == [
        *ASK_WECHAT,
        *("BEGIN", *FIND, "SELECT accounts_blockedidentity", "ROLLBACK"),
        *("BEGIN", "INSERT accounts_loginevent", *KEEP_IDENTITY, "COMMIT"),
    ]


def test_a_switched_off_source_costs_the_event(known, acme, statements, log_in):
    IdentitySource.objects.update(enabled=False)
    log_in()

    said = statements(log_in)

    assert said == ["BEGIN", "INSERT accounts_loginevent", "COMMIT"]


def test_a_phone_code_adds_its_own_exchange(known, statements, log_in):
    log_in(phone_code=builders.get_phone_number())

    said = statements(lambda: log_in("bob", phone_code=builders.get_phone_number("bob")))

    start, end = said.index("asks jscode2session"), said.index("asks getuserphonenumber")
    assert said[start : end + 1] == [
        *ASK_WECHAT,
        *("BEGIN", *FIND, "SELECT accounts_blockedidentity", "COMMIT"),
        *("BEGIN", "INSERT accounts_codeexchange", "COMMIT"),
        "SELECT identity_sources_wechataccesstoken",
        "SELECT identity_sources_wechataccesstoken",
        "asks getuserphonenumber",
    ]


def test_listing_linked_accounts_says_exactly_this(known, statements, log_in, client):
    token = log_in().json()["access_token"]

    said = statements(lambda: client.get("/api/v1/me/linked-accounts", headers=bearer(token)))

    assert said == [
        "SELECT userpools_userpool",
        "SELECT accounts_session",
        "SELECT identity_sources_identitysource",
        "SELECT accounts_linkedaccount",
    ]


def test_no_connection_is_held_while_wechat_is_asked(threaded_database, acme, log_in, wechat):
    """Neither for the login, nor for WeChat's access token, nor for the phone number."""
    held = []
    wechat.listeners.append(lambda: held.append(connection.connection))

    log_in(phone_code=builders.get_phone_number())
    log_in(code="never-issued")

    assert wechat.calls == [
        "jscode2session",
        "stable_token",
        "getuserphonenumber",
        "jscode2session",
    ]
    assert held == [None] * 4

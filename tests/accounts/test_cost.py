"""What a login costs the database: every statement, in order, and none while WeChat is asked."""

import math
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.login.exchange import WeChatIdentity, exchange_once
from accounts.models import CodeExchange
from config.kernel.memory import forget_configuration
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.oidc import bearer
from tests.support.statements import described

READ_CONFIGURATION = [
    "SELECT applications_application",
    "SELECT applications_loginmethod",
    "SELECT userpools_signingkey",
]
HOLD_CODE = ["BEGIN", "INSERT accounts_codeexchange", "COMMIT"]
ASK_WECHAT = ["asks jscode2session"]
KEEP_ANSWER = ["UPDATE accounts_codeexchange"]
EXCHANGE = [*HOLD_CODE, *ASK_WECHAT, *KEEP_ANSWER]
TOKENS_AND_EVENT = [
    "INSERT accounts_session",
    "INSERT accounts_refreshtoken",
    "INSERT accounts_loginevent",
]
RETURNING = [
    "BEGIN",
    "SELECT accounts_linkedaccount",
    "SELECT accounts_user",  # and lock them
    "UPDATE accounts_linkedaccount",
    *TOKENS_AND_EVENT,
    "COMMIT",
]
MOST_STATEMENTS = 6


@pytest.fixture
def statements(transactional_db, wechat, monkeypatch):
    """Return what a piece of work says to the database, with WeChat's calls among it."""
    # Once a minute a login also sweeps; here that would come at any moment.
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", math.inf)
    # What is in memory stays there, however slow the machine is.
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)

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
            f"asks {next(calls)}" if sql == "asks" else described(sql)
            for sql in (query["sql"] for query in log)
        ]

    return listen


@pytest.fixture
def known(statements, acme, log_in):
    """Let Alice log in once, which also brings the pool's keys into this process."""
    assert log_in().status_code == 200


def test_a_returning_login_says_exactly_this_to_the_database(known, statements, log_in):
    said = statements(log_in)

    assert said == [*EXCHANGE, *RETURNING]
    assert len(RETURNING[1:-1]) <= MOST_STATEMENTS


def test_the_database_cache_adds_one_statement(known, statements, log_in, database_cache):
    said = statements(log_in)

    assert said == ["SELECT unionpass_cache", *EXCHANGE, *RETURNING]


def test_a_first_login_adds_the_user_and_the_linked_accounts(known, statements, log_in):
    said = statements(lambda: log_in("bob"))

    assert said == [
        *EXCHANGE,
        "BEGIN",
        "SELECT accounts_linkedaccount",
        "SELECT accounts_blockedidentity",
        "INSERT accounts_user",
        "INSERT accounts_linkedaccount",
        "INSERT accounts_linkedaccount",
        *TOKENS_AND_EVENT,
        "COMMIT",
    ]


def test_the_first_login_of_a_process_reads_the_configuration(statements, acme, log_in):
    first, second = statements(log_in), statements(log_in)

    assert [sql for sql in first if sql in READ_CONFIGURATION] == READ_CONFIGURATION
    assert second == [*EXCHANGE, *RETURNING]


def test_two_seconds_later_a_login_reads_it_anew_but_not_the_keys(
    known, statements, log_in, monkeypatch
):
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", 0)
    forget_configuration()

    said = statements(log_in)

    assert said == [*READ_CONFIGURATION[:2], *EXCHANGE, *RETURNING]


def test_without_a_refresh_token_there_is_one_statement_less(known, statements, log_in):
    said = statements(lambda: log_in(scope="openid"))

    assert "INSERT accounts_refreshtoken" not in said
    assert len(said) == len([*EXCHANGE, *RETURNING]) - 1


def test_a_confidential_application_costs_no_more(known, acme, statements, log_in):
    application = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(application, acme.source)
    safe = {"client_id": "acme-safe", "client_secret": builders.CLIENT_SECRET}
    log_in(**safe)

    said = statements(lambda: log_in(**safe))

    assert said == [*EXCHANGE, *RETURNING]


def test_a_replay_reads_what_was_kept(known, statements, log_in):
    code = builders.wx_login()
    log_in(code=code)

    said = statements(lambda: log_in(code=code))

    assert said == [
        *("BEGIN", "INSERT accounts_codeexchange", "ROLLBACK"),
        "SELECT accounts_codeexchange",
        *RETURNING,
    ]


def test_once_a_minute_a_login_sweeps_after_it_asked_wechat(known, statements, log_in, monkeypatch):
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", 0)

    CodeExchange.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    first, second = statements(log_in), statements(log_in)

    sweep = "DELETE accounts_codeexchange"
    assert first.index("UPDATE accounts_codeexchange") < first.index(sweep)
    assert first.index(sweep) < first.index("SELECT accounts_linkedaccount")
    assert second == [*EXCHANGE, *RETURNING]


@pytest.mark.postgresql
def test_a_returning_login_locks_the_user_but_lets_foreign_keys_pass(known, log_in):
    with CaptureQueriesContext(connection) as log:
        log_in()

    locks = [query["sql"] for query in log if " FOR " in query["sql"]]
    assert [sql.rpartition(" FOR ")[2] for sql in locks] == ["NO KEY UPDATE"]


def test_an_unknown_application_costs_one_statement(known, statements, log_in):
    said = statements(lambda: log_in(client_id="nobody"))

    assert said == ["SELECT applications_application"]


def test_a_refused_code_costs_the_exchange_and_the_event(known, statements, log_in):
    said = statements(lambda: log_in(code="never-issued"))

    assert said == [*EXCHANGE, "INSERT accounts_loginevent"]


def test_a_switched_off_source_costs_the_event(known, acme, statements, log_in):
    IdentitySource.objects.update(enabled=False)
    log_in()

    said = statements(log_in)

    assert said == ["INSERT accounts_loginevent"]


def test_a_phone_code_adds_its_own_exchange(known, statements, log_in):
    log_in(phone_code=builders.get_phone_number())

    said = statements(lambda: log_in("bob", phone_code=builders.get_phone_number("bob")))

    start, end = said.index("asks jscode2session"), said.index("asks getuserphonenumber")
    assert said[start : end + 1] == [
        *ASK_WECHAT,
        *KEEP_ANSWER,
        "BEGIN",
        "SELECT accounts_linkedaccount",
        "SELECT accounts_blockedidentity",
        "COMMIT",
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


def test_no_connection_is_held_while_a_duplicate_waits(threaded_database):
    CodeExchange.objects.create(
        key="held", holder=uuid4(), expires_at=timezone.now() + timedelta(seconds=0.5)
    )
    waiting, ended, samples = connections["default"], threading.Event(), []

    def look():
        while not ended.wait(0.005):
            samples.append(waiting.connection is None)

    watcher = threading.Thread(target=look)
    watcher.start()
    exchange_once("held", lambda: WeChatIdentity(openid="o", unionid=None))
    ended.set()
    watcher.join()

    # It holds one only for the moments in which it looks at the row.
    assert samples.count(True) > len(samples) / 2

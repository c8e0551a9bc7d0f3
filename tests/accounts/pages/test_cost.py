"""What the browser's part of a login costs the database: every statement, in order."""

import math

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.client import GuardedClient
from tests.support.login_steps import come_back, open_login, set_out, way_to_wechat
from tests.support.statements import described, parts, round_trips
from tests.support.website import authorize, log_in_by_browser

FIND_REQUEST = ["SELECT accounts_authorizationrequest"]
WHO_IS_SIGNED_ON = ["SELECT accounts_browsersession"]
LOCKED = " FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
FIND_IDENTITY = [
    *(["SELECT accounts_user FOR NO KEY UPDATE"] if LOCKED else []),
    "SELECT accounts_linkedaccount",
]
LOCK_BROWSER_SESSION = f"SELECT accounts_browsersession{LOCKED}"
CODE = ["INSERT accounts_authorizationcode"]


@pytest.fixture(autouse=True)
def quiet(transactional_db, monkeypatch):
    """Once a minute a process also sweeps, and configuration is read every 2 seconds.

    Here neither comes at any moment.
    """
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)
    # Nor is a pooled connection idle for long, and checked.
    monkeypatch.setattr("config.kernel.postgresql.base.IDLE_SECONDS", math.inf)
    for sweeper in ("accounts.oidc.authorization.pending", "accounts.login.exchange"):
        monkeypatch.setattr(f"{sweeper}.sweeper.due_at", math.inf)


@pytest.fixture
def known(site):
    """Alice has logged in before, elsewhere."""
    log_in_by_browser(GuardedClient())


def said(work, status=None):
    with CaptureQueriesContext(connection) as log:
        response = work()
    assert response.status_code in ({status} if status else {302, 303})
    return [said for query in log for said in parts(query["sql"])]


def test_keeping_a_request(client, known):
    assert said(lambda: authorize(client)) == [
        "INSERT accounts_authorizationrequest",
    ]


def test_entering_by_single_sign_on(client, known):
    log_in_by_browser(client)

    assert said(lambda: authorize(client)) == [
        *WHO_IS_SIGNED_ON,
        "BEGIN",
        LOCK_BROWSER_SESSION,
        "SELECT accounts_session",
        "INSERT accounts_loginevent",
        *CODE,
        "COMMIT",
    ]


def test_refusing_by_prompt_none(client, known):
    assert said(lambda: authorize(client, prompt="none")) == []


def test_the_login_page(client, known):
    page = open_login(client)

    assert said(lambda: client.get(page), status=200) == FIND_REQUEST


def test_going_to_wechat(client, known):
    link = way_to_wechat(client, open_login(client))

    assert said(lambda: client.get(link)) == [
        *FIND_REQUEST,
        "INSERT accounts_wechattrip",
    ]


def test_the_consent_page(client, known, site):
    type(site.spa).objects.filter(pk=site.spa.pk).update(requires_consent=True)
    page = come_back(client, set_out(client, open_login(client)))["Location"]

    assert said(lambda: client.get(page), status=200) == [
        *FIND_REQUEST,
        "SELECT accounts_consent",
    ]


def test_a_request_and_a_state_join_only_what_is_read(client, known):
    """PostgreSQL plans a join of eight tables for longer than all the rest takes."""
    with CaptureQueriesContext(connection) as log:
        log_in_by_browser(client)

    joins = {described(query["sql"]): query["sql"].count(" JOIN ") for query in log}
    assert joins["SELECT accounts_authorizationrequest"] == 2  # session, user
    assert joins["SELECT accounts_wechattrip"] == 1  # its request


def test_coming_back_from_wechat(client, known):
    at_wechat = set_out(client, open_login(client))

    statements = said(lambda: come_back(client, at_wechat))

    assert statements == [
        "SELECT accounts_wechattrip",  # and its request
        "UPDATE accounts_wechattrip",
        "BEGIN",
        *FIND_IDENTITY,
        "UPDATE accounts_authorizationrequest",  # its session, answered
        "INSERT accounts_browsersession",
        "INSERT accounts_session",
        *CODE,
        "INSERT accounts_loginevent",
        "COMMIT",
    ]


@pytest.mark.postgresql
def test_coming_back_from_wechat_is_exactly_this_many_round_trips(client, known):
    at_wechat = set_out(client, open_login(client))

    with round_trips() as made:
        come_back(client, at_wechat)

    assert made == [
        "statement",  # the state
        "statement",  # is used
        "BEGIN",
        "together",  # lock the user; linked accounts and users
        "statement",  # the request is answered
        "statement",  # browser session, session, code, event
        "COMMIT",
    ]

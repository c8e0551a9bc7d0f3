"""What the provider's endpoints say to the database: every statement, in order."""

import math

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.offers import known_application
from tests.support import builders
from tests.support.oidc import bearer, exchange, post, refresh, userinfo
from tests.support.statements import described, parts
from tests.support.website import authorization_code


@pytest.fixture
def statements(transactional_db, site, monkeypatch):
    """Return what a piece of work says to the database.

    The configuration is in memory, and stays there however slow the machine is. Once in a while a
    refresh also sweeps; here that would come at any moment.
    """
    monkeypatch.setattr("accounts.oidc.grants.refresh_token.sweeper.due_at", math.inf)
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)
    for client_id in ("acme-web", "acme-machine"):
        known_application(client_id)
    exchange(authorization_code(person="bob"))

    def listen(work):
        with CaptureQueriesContext(connection) as log:
            response = work()
        assert response.status_code == 200, response.content
        return [said for query in log for said in parts(query["sql"])]

    return listen


def test_exchanging_a_code_says_exactly_this(statements):
    code = authorization_code()

    said = statements(lambda: exchange(code))

    assert said == [
        "SELECT accounts_authorizationcode",  # and its session and user
        "BEGIN",
        "UPDATE accounts_authorizationcode",
        "INSERT accounts_refreshtoken",
        "COMMIT",
    ]


def test_a_confidential_application_costs_no_more(statements):
    code, confidential = authorization_code(), authorization_code("acme-web")

    said = statements(lambda: exchange(confidential, "acme-web", secret=builders.CLIENT_SECRET))

    assert said == statements(lambda: exchange(code))


def test_refreshing_says_exactly_this(statements):
    token = exchange(authorization_code()).json()["refresh_token"]

    said = statements(lambda: refresh(token, client_id="acme-spa"))

    assert said == [
        "SELECT accounts_refreshtoken",  # and its session and user
        "BEGIN",
        "UPDATE accounts_refreshtoken",
        "INSERT accounts_refreshtoken",
        "COMMIT",
    ]


def test_userinfo_says_exactly_this(statements):
    token = exchange(authorization_code()).json()["access_token"]

    said = statements(lambda: userinfo(token))

    assert said == ["SELECT accounts_session"]  # and its user


def test_me_says_no_more_than_userinfo(statements, client):
    token = exchange(authorization_code()).json()["access_token"]

    said = statements(lambda: client.get("/api/v1/me", headers=bearer(token)))

    assert said == ["SELECT accounts_session"]


@pytest.mark.parametrize(
    ("kind", "looked_up"),
    [
        ("access_token", ["SELECT accounts_session"]),
        ("refresh_token", ["SELECT accounts_refreshtoken"]),
    ],
)
def test_introspection_says_exactly_this(statements, kind, looked_up):
    token = exchange(authorization_code()).json()[kind]
    fields = {"client_id": "acme-web", "token": token}

    said = statements(lambda: post("introspect", fields, secret=builders.CLIENT_SECRET))

    assert said == looked_up


def test_introspecting_a_machines_token_says_exactly_this(statements):
    machine = {"grant_type": "client_credentials", "client_id": "acme-machine"}
    token = post("token", machine, secret=builders.CLIENT_SECRET).json()["access_token"]
    fields = {"client_id": "acme-web", "token": token}

    said = statements(lambda: post("introspect", fields, secret=builders.CLIENT_SECRET))

    assert said == ["SELECT accounts_revokedaccesstoken"]


def test_a_token_is_looked_up_with_what_is_read_of_its_session(statements):
    """The pool and the application are in memory, except for a refresh token's introspection."""
    code = authorization_code()
    with CaptureQueriesContext(connection) as log:
        tokens = exchange(code).json()
        userinfo(tokens["access_token"])
        refresh(tokens["refresh_token"], client_id="acme-spa")

    joins = {described(query["sql"]): query["sql"].count(" JOIN ") for query in log}
    assert {name: count for name, count in joins.items() if count} == {
        "SELECT accounts_authorizationcode": 2,  # session, user
        "SELECT accounts_session": 1,
        "SELECT accounts_refreshtoken": 2,
    }


def test_a_machines_token_costs_nothing(statements):
    fields = {"grant_type": "client_credentials", "client_id": "acme-machine"}

    said = statements(lambda: post("token", fields, secret=builders.CLIENT_SECRET))

    assert said == []


def test_a_refused_code_costs_one_statement(statements):
    with CaptureQueriesContext(connection) as log:
        assert exchange("never-issued").status_code == 400

    said = [described(query["sql"]) for query in log]
    assert said == ["SELECT accounts_authorizationcode"]

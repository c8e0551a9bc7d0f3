"""The pool of connections: one that was just in use is taken as it is, an idle one is checked."""

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from config.kernel.postgresql import base

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def checks(monkeypatch):
    """The connections that were checked, while the pool has one in all."""
    checked = []
    check = ConnectionPool.check_connection

    def note(candidate):
        checked.append(candidate)
        check(candidate)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(note))
    options = connection.settings_dict["OPTIONS"]
    with pytest.MonkeyPatch.context() as small:
        small.setitem(options, "pool", {"min_size": 1, "max_size": 1, "timeout": 10})
        start_over()
        yield checked
    start_over()


def start_over():
    """Close the pool, so that the next connection makes another."""
    connection.close()
    connection.close_pool()


def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def use():
    """Take a connection, ask the server, and give it back."""
    try:
        return ask()
    finally:
        connection.close()


def end_backend(pid):
    parameters = connection.get_connection_params() | {"autocommit": True}
    with psycopg.connect(**parameters) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_was_just_in_use_is_not_checked(checks):
    use()
    checks.clear()

    use()
    use()

    assert checks == []


def test_an_idle_connection_is_checked(checks, monkeypatch):
    pid = use()
    checks.clear()
    monkeypatch.setattr(base, "IDLE_SECONDS", 0)

    assert use() == pid
    assert len(checks) == 1


def test_an_idle_connection_that_broke_is_replaced(checks, monkeypatch):
    pid = use()
    end_backend(pid)
    monkeypatch.setattr(base, "IDLE_SECONDS", 0)

    assert use() != pid


def test_a_connection_that_was_just_in_use_and_broke_is_replaced(checks):
    pid = use()
    end_backend(pid)

    assert use() != pid


def test_a_connection_that_broke_in_use_does_not_go_back_to_the_pool(checks):
    pid = ask()
    end_backend(pid)
    with pytest.raises(Exception, match=r"terminat|closed"):
        ask()
    connection.close()

    assert use() != pid

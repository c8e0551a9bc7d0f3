"""The database connection is given back before somebody else is waited for."""

import pytest
from django.db import connection

from config.kernel.database import release_connection


@pytest.mark.django_db(transaction=True)
def test_the_connection_goes_back():
    connection.ensure_connection()

    release_connection()

    # With its last connection an SQLite in memory would vanish; Django keeps that one open.
    stays = connection.vendor == "sqlite" and connection.is_in_memory_db()
    assert (connection.connection is not None) == stays


def test_within_a_transaction_there_is_nothing_to_give_back(db):
    release_connection()

    assert connection.connection is not None
    assert connection.in_atomic_block

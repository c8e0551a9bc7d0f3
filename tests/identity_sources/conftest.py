"""Fixtures of the tests of a source's health."""

import pytest
from django.db import OperationalError, connection


@pytest.fixture
def source(acme):
    return acme.source


@pytest.fixture
def unwritable(db):
    """A database that refuses every statement about the failures of sources."""

    def refuse(execute, sql, params, many, context):
        if "sourcefailure" in sql:
            raise OperationalError("the disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield

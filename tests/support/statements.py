"""Abbreviated SQL statements and round trips to PostgreSQL, for the tests that list them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from psycopg import Connection
from psycopg._pipeline_base import BasePipeline
from psycopg.pq import PipelineStatus, TransactionStatus

_TABLE = re.compile(r'(SELECT|INSERT|UPDATE|DELETE).*?(?:FROM|INTO|UPDATE) "?(\w+)"?', re.DOTALL)
_UPDATED = re.compile(r'UPDATE "(\w+)"')
_WAITED_FOR = {
    "BaseCursor._execute_gen": "statement",
    "BaseConnection._commit_gen": "COMMIT",
    "BaseConnection._rollback_gen": "ROLLBACK",
}


def described(sql):
    """Return a statement's verb and table, or a statement without a table unchanged."""
    if sql.startswith("UPDATE"):
        return f"UPDATE {_UPDATED.match(sql)[1]}"
    if sql.endswith("FOR NO KEY UPDATE"):
        return " ".join(_TABLE.match(sql).groups()) + " FOR NO KEY UPDATE"
    found = _TABLE.match(sql)
    return " ".join(found.groups()) if found else sql.removesuffix(" IMMEDIATE")


def parts(sql):
    """Return what a statement does, described; of several INSERTs that are sent as one, each."""
    if not sql.startswith("WITH statement_0 AS"):
        return [described(sql)]
    return [f"INSERT {table}" for table in re.findall(r'INSERT INTO "(\w+)"', sql)]


class RoundTrips(list[str]):
    """What psycopg waited for, in order.

    ``statement``, ``BEGIN``, ``COMMIT`` and ``ROLLBACK`` are one round trip each, and so is
    ``together``: all statements of a pipeline.
    """


@contextmanager
def round_trips() -> Iterator[RoundTrips]:
    """Note each round trip of the block to PostgreSQL, on every connection.

    psycopg waits for an answer in `Connection.wait`, except within a pipeline, where it waits at
    each synchronization. It sends BEGIN by itself, ahead of a transaction's first statement.
    """
    made = RoundTrips()
    wait = Connection.wait
    synchronize = BasePipeline._enqueue_sync  # noqa: SLF001 - no public method tells of it

    def note_wait(connection: Connection, generator: Any, *arguments: Any, **named: Any) -> Any:
        waited_for = _WAITED_FOR.get(generator.__qualname__, "")
        begins = waited_for == "statement" and _begins(connection)
        if begins:
            made.append("BEGIN")
        if waited_for and connection.pgconn.pipeline_status == PipelineStatus.OFF:
            made.append(waited_for)
        note_wait.began = begins
        return wait(connection, generator, *arguments, **named)

    def note_synchronization(pipeline: BasePipeline) -> None:
        # In a pipeline BEGIN is synchronized before the first statement; it was noted.
        if not note_wait.began:
            made.append("together")
        synchronize(pipeline)

    note_wait.began = False
    with (
        patch.object(Connection, "wait", note_wait),
        patch.object(BasePipeline, "_enqueue_sync", note_synchronization),
    ):
        yield made


def _begins(connection: Connection) -> bool:
    is_idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
    return is_idle and not connection.autocommit

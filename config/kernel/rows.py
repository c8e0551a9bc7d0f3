"""Rows by hand, for the few statements of every login: INSERTs, look-ups, values set once.

The ORM compiles a statement anew each time it runs one. Here the text of each is made once from the
model's fields, and PostgreSQL keeps its plan. Several statements are sent in one round trip
(https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.core.exceptions import MultipleObjectsReturned
from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Row = TypeVar("Row", bound=models.Model)
Convert = Callable[[Any], Any]


@contextmanager
def one_round_trip() -> Iterator[None]:
    """Send the statements of the block to PostgreSQL together, and wait for all at its end.

    Read their results afterwards. The statements are those of cursors: the ORM needs the result of
    each at once.

    Raises:
        django.db.Error: one of the statements failed; those after it weren't executed.

    """
    connection.ensure_connection()
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


@dataclass(frozen=True)
class Statement:
    """A statement without a result, and its parameters."""

    sql: str
    parameters: Sequence[Any] = field(repr=False)


def send(*statements: Statement) -> None:
    """Run INSERTs in one round trip, within a transaction.

    They don't see each other's rows: foreign keys have to be deferred, and ``ON CONFLICT`` is about
    rows from before.

    Raises:
        IntegrityError: a constraint is violated.

    """
    if not statements:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            parameters = [value for one in statements for value in one.parameters]
            cursor.execute(_as_one(tuple(one.sql for one in statements)), parameters)
            return
        for statement in statements:
            cursor.execute(statement.sql, statement.parameters)


def insert(*rows: models.Model) -> None:
    """Insert new rows in one round trip, as `send`.

    Raises:
        IntegrityError: a constraint is violated.

    """
    send(*map(insertion, rows))


def insertion(row: models.Model, conflict: str = "") -> Statement:
    """Return the INSERT of a new row, with the values that `Model.save` would store.

    ``conflict`` is an ``ON CONFLICT`` clause. Afterwards the row counts as stored.
    """
    sql, fields = _insert_into(type(row), conflict)
    # The connection itself: each attribute of the proxy is looked up by thread.
    database = connections[DEFAULT_DB_ALIAS]
    values = [
        column.get_db_prep_save(column.pre_save(row, add=True), database) for column in fields
    ]
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - as Model.save does
    return Statement(sql, values)


def use_up(row: models.Model, column: str, now: datetime, **others: Any) -> bool:
    """Set a row's timestamp, and other columns with it, if it isn't set yet.

    Return False if it was: of several requests that use a row up, one does.
    """
    values = {column: now} | others
    database = connections[DEFAULT_DB_ALIAS]
    parameters = [
        _field(row, name).get_db_prep_save(value, database) for name, value in values.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_use_up(type(row), tuple(values)), [*parameters, uuid_parameter(row.pk)])
        return bool(cursor.rowcount)


def uuid_parameter(value: UUID) -> UUID | str:
    """Return a UUID as a parameter; SQLite stores its hexadecimal digits."""
    return value if connection.features.has_native_uuid_field else value.hex


class Columns(Generic[Row]):
    """The columns of a model in a SELECT by hand, and its rows from the result."""

    def __init__(self, model: type[Row], alias: str) -> None:
        self._model = model
        self._fields = model._meta.concrete_fields
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in self._fields)
        self.count = len(self._fields)
        self._names = [field.attname for field in self._fields]

    def row(self, values: Sequence[Any]) -> Row:
        """Return the row that has these values, in the order of the columns."""
        converters = _converters(self._model, connection.vendor)
        if converters:
            values = list(values)
            for position, convert in converters:
                values[position] = convert(values[position])
        return self._model.from_db(connection.alias, self._names, values)


class Joined:
    """The columns of several models in one SELECT by hand, and the rows from its result.

    The models are given by the alias of their table in the statement.
    """

    def __init__(self, **aliases: type[models.Model]) -> None:
        self._columns = [Columns(model, alias) for alias, model in aliases.items()]
        self.sql = ", ".join(columns.sql for columns in self._columns)

    def rows(self, values: Sequence[Any]) -> list[Any]:
        """Return a row of each model; None where an outer join found none."""
        rows, start = [], 0
        for columns in self._columns:
            own = values[start : start + columns.count]
            start += columns.count
            # Its primary key is a model's first column.
            rows.append(None if own[0] is None else columns.row(own))
        return rows

    def one(self, sql: str, parameters: Sequence[Any]) -> list[Any] | None:
        """Return the rows of a unique look-up; None if it finds nothing.

        Raises:
            MultipleObjectsReturned: it isn't unique.

        """
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            found = cursor.fetchall()
        if len(found) > 1:
            raise MultipleObjectsReturned(sql)
        return self.rows(found[0]) if found else None


def _field(model: models.Model | type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


@lru_cache(maxsize=64)
def _use_up(model: type[models.Model], names: tuple[str, ...]) -> str:
    columns = [f'"{_field(model, name).column}"' for name in names]
    changes = ", ".join(f"{column} = %s" for column in columns)
    table = f'"{model._meta.db_table}"'
    return f"UPDATE {table} SET {changes} WHERE id = %s AND {columns[0]} IS NULL"  # noqa: S608 - names of the models


@lru_cache(maxsize=64)
def _as_one(statements: tuple[str, ...]) -> str:
    """Return one statement that does them all: cheaper for both sides than a pipeline of several.

    https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
    """
    *before, last = statements
    parts = [f"statement_{number} AS ({sql})" for number, sql in enumerate(before)]
    return f"WITH {', '.join(parts)} {last}" if parts else last


@lru_cache(maxsize=64)
def _insert_into(model: type[models.Model], conflict: str) -> tuple[str, list[Any]]:
    fields = list(model._meta.concrete_fields)
    columns = ", ".join(f'"{column.column}"' for column in fields)
    values = ", ".join(["%s"] * len(fields))
    table = model._meta.db_table
    sql = f'INSERT INTO "{table}" ({columns}) VALUES ({values}) {conflict}'  # noqa: S608 - names of the models
    return sql.rstrip(), fields


@lru_cache(maxsize=64)
def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Convert]]:
    """Return how the database's values become those of the fields, where they differ."""
    return [
        (position, _in_turn(found, field))
        for position, field in enumerate(model._meta.concrete_fields)
        if (found := _converters_of(field))
    ]


def _converters_of(field: Any) -> list[Any]:
    expression = field.get_col(field.model._meta.db_table)
    return [
        *connection.ops.get_db_converters(expression),
        *expression.get_db_converters(connection),
    ]


def _in_turn(converters: list[Any], field: Any) -> Convert:
    expression = field.get_col(field.model._meta.db_table)

    def convert(value: Any) -> Any:
        for converter in converters:
            value = converter(value, expression, connection)
        return value

    return convert

"""What the database does besides storing rows.

The exceptions of an unreachable database or cache, releasing a connection, unapplied migrations,
the name of a violated constraint, and the row of a unique look-up.
"""

import re
from functools import lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.core.exceptions import MultipleObjectsReturned
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model, QuerySet, UniqueConstraint
from psycopg.errors import UniqueViolation
from redis.exceptions import RedisError

# PoolTimeout arrives as an OperationalError: Django wraps what psycopg raises.
AWAY = (OperationalError, InterfaceError, RedisError)

UNAPPLIED_MIGRATIONS = (
    "The database has unapplied migrations. Run: .venv/bin/python manage.py migrate"
)

Row = TypeVar("Row")

_OF_SQLITE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>\w+)'|(?P<columns>.+))")


def release_connection() -> None:
    """Return this thread's connection to the pool: none is held while WeChat is called.

    Within a transaction it can't be released, and only tests that wrap themselves in one call it
    there.
    """
    if not connection.in_atomic_block:
        connection.close()


def unapplied_migrations() -> bool:
    """Tell whether there are unapplied migrations."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def violated_constraint(error: IntegrityError) -> str:
    """Return the name of the unique constraint that was violated, empty for any other violation.

    PostgreSQL gives the name. SQLite gives the columns, or the index of one over expressions; the
    name is that of the model's constraint over these columns. A primary key's is
    ``<table>_pkey``, as PostgreSQL calls it.
    https://www.psycopg.org/psycopg3/docs/api/errors.html,
    https://www.sqlite.org/rescode.html#constraint_unique
    """
    cause = error.__cause__
    if isinstance(cause, UniqueViolation):
        return cause.diag.constraint_name or ""
    found = _OF_SQLITE.fullmatch(str(cause))
    if found is None:
        return ""
    return found["index"] or _constraints().get(frozenset(found["columns"].split(", ")), "")


def save_unless_taken(row: Model, constraint: str, **options: Any) -> bool:
    """Save a row, as `Model.save`; return False if it violates this unique constraint.

    Raises:
        IntegrityError: another constraint is violated.

    """
    try:
        with transaction.atomic():
            row.save(**options)
    except IntegrityError as error:
        if violated_constraint(error) == constraint:
            return False
        raise
    return True


@lru_cache(maxsize=1)
def _constraints() -> dict[frozenset[str], str]:
    """Return the names of all unique constraints, by their columns as SQLite writes them."""
    names: dict[frozenset[str], str] = {}
    for model in apps.get_models():
        table = model._meta.db_table
        columns = {field.name: field.column for field in model._meta.local_fields}
        for field in model._meta.local_fields:
            if field.unique:
                ending = "pkey" if field.primary_key else f"{field.column}_key"
                names[frozenset({f"{table}.{field.column}"})] = f"{table}_{ending}"
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.fields:
                key = frozenset(f"{table}.{columns[name]}" for name in constraint.fields)
                names[key] = constraint.name
    return names


def one_or_none(rows: QuerySet[Any, Row]) -> Row | None:
    """Return the row of a look-up that a unique constraint answers with at most one.

    `QuerySet.first` would sort by the primary key, which needs an ORDER BY and a LIMIT in the
    statement, and time to work them out.

    Raises:
        MultipleObjectsReturned: there are several rows, so the look-up isn't unique.

    """
    found = list(rows)
    if len(found) > 1:
        raise MultipleObjectsReturned(f"{len(found)} rows of {rows.model._meta.label}")
    return found[0] if found else None

"""What migrations say to PostgreSQL alone."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunSQL


class OnPostgreSQL(RunSQL):
    """SQL for PostgreSQL, about what Django's models can't express; other databases skip it."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def leave_room(table: str, percent_filled: int) -> OnPostgreSQL:
    """Leave room in a table's pages, so that an update stays in its row's page.

    Such an update writes no index, unless an indexed column changes (heap-only tuples).
    https://www.postgresql.org/docs/current/storage-hot.html
    """
    return OnPostgreSQL(
        f'ALTER TABLE "{table}" SET (fillfactor = {percent_filled})',
        f'ALTER TABLE "{table}" RESET (fillfactor)',
    )

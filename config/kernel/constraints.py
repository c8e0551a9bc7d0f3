"""Foreign keys over several columns, which Django's ORM doesn't support.

A login method names an application and an identity source, and both must be of its own pool. The
database enforces it: the pool's column is part of each foreign key.
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, Model


class SamePool(BaseConstraint):
    """The row that a foreign key refers to belongs to the same pool as this row.

    ``SamePool(name=…, field="user")`` becomes
    ``FOREIGN KEY (pool_id, user_id) REFERENCES accounts_user (pool_id, id)``, on PostgreSQL and
    on SQLite. The other table needs a unique constraint over (pool, id). A null foreign key
    satisfies it (SQL's MATCH SIMPLE).

    So the foreign key itself has ``db_constraint=False``, and so has the pool if one of these
    fields can't be null.
    """

    def __init__(self, *, name: str, field: str) -> None:
        self.field = field
        super().__init__(name=name)

    def constraint_sql(
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        model, editor = _given(model, schema_editor)
        return f"CONSTRAINT {editor.quote_name(self.name)} {self._foreign_key(model, editor)}"

    def create_sql(
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        model, editor = _given(model, schema_editor)
        table = editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} ADD {self.constraint_sql(model, editor)}"

    def remove_sql(
        self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
    ) -> str:
        model, editor = _given(model, schema_editor)
        table = editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {editor.quote_name(self.name)}"

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the database: forms offer only rows of the pool."""

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), {**kwargs, "field": self.field}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SamePool):
            return NotImplemented
        return (self.name, self.field) == (other.name, other.field)

    def __hash__(self) -> int:
        return hash((self.name, self.field))

    def _foreign_key(self, model: type[Model], editor: BaseDatabaseSchemaEditor) -> str:
        pool = model._meta.get_field("pool")
        reference = model._meta.get_field(self.field)
        target = reference.related_model
        if (
            not isinstance(target, type)
            or not isinstance(pool, models.ForeignKey)
            or not isinstance(reference, models.ForeignKey)
        ):
            raise TypeError(f"{model._meta.label}.{self.field} and .pool must be foreign keys.")
        columns = (pool.column, reference.column)
        here = ", ".join(editor.quote_name(str(column)) for column in columns)
        there = editor.quote_name(target._meta.db_table)
        return (
            f"FOREIGN KEY ({here}) "
            f"REFERENCES {there} ({editor.quote_name('pool_id')}, {editor.quote_name('id')}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )


def _given(
    model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None
) -> tuple[type[Model], BaseDatabaseSchemaEditor]:
    """Narrow the type of an optional argument that Django's schema editors always pass."""
    if model is None or schema_editor is None:
        raise ValueError("A constraint is made on a model, by a schema editor.")
    return model, schema_editor

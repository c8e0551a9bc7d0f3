"""Migrations that speak to PostgreSQL alone leave other databases as they are."""

from django.db import connection, connections
from django.db.migrations.state import ProjectState

from config.kernel.schema import leave_room


def said(*, forwards: bool, vendor: str, monkeypatch) -> list[str]:
    """Return what the operation would say to a database of this vendor."""
    monkeypatch.setattr(connections["default"], "vendor", vendor)
    editor = connection.SchemaEditorClass(connection, collect_sql=True)
    operation, state = leave_room("accounts_refreshtoken", 90), ProjectState()
    work = operation.database_forwards if forwards else operation.database_backwards
    work("accounts", editor, state, state)
    return editor.collected_sql


def test_postgresql_hears_of_the_room_and_of_its_end(monkeypatch):
    usual = {"vendor": "postgresql", "monkeypatch": monkeypatch}

    assert said(forwards=True, **usual) == [
        'ALTER TABLE "accounts_refreshtoken" SET (fillfactor = 90);'
    ]
    assert said(forwards=False, **usual) == [
        'ALTER TABLE "accounts_refreshtoken" RESET (fillfactor);'
    ]


def test_another_database_hears_nothing(monkeypatch):
    usual = {"vendor": "sqlite", "monkeypatch": monkeypatch}

    assert said(forwards=True, **usual) == []
    assert said(forwards=False, **usual) == []

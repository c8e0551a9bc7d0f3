"""Searching for secrets: in text, in bytes, in every value of the database."""

import json
from urllib.parse import quote

from django.db import connection

SHORTEST_SECRET = 8


class Scanner:
    """Searches text and bytes for secrets, also hexadecimal and URL-encoded."""

    def __init__(self, secrets):
        assert all(len(secret) >= SHORTEST_SECRET for secret in secrets), secrets
        self._needles = {
            needle: secret
            for secret in secrets
            for needle in {
                secret.encode(),
                secret.encode().hex().encode(),
                quote(secret, safe="").encode(),
                json.dumps(secret)[1:-1].encode(),
            }
        }

    def found_in(self, haystack):
        raw = haystack if isinstance(haystack, bytes) else haystack.encode()
        return {secret for needle, secret in self._needles.items() if needle in raw}


def dump():
    """Return every value of every table of the database: (table, column, bytes)."""
    cells = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            columns = [
                column.name if hasattr(column, "name") else column[0]
                for column in cursor.description
            ]
            cells += [
                (table, column, as_bytes(value))
                for row in cursor.fetchall()
                for column, value in zip(columns, row, strict=True)
            ]
    return cells


def as_bytes(value):
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return (json.dumps(value) if isinstance(value, dict | list) else str(value)).encode()

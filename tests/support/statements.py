"""Abbreviated SQL statements, for the tests that list them."""

import re

_TABLE = re.compile(r'(SELECT|INSERT|UPDATE|DELETE).*?(?:FROM|INTO|UPDATE) "(\w+)"', re.DOTALL)
_UPDATED = re.compile(r'UPDATE "(\w+)"')


def described(sql):
    """Return a statement's verb and table, or a statement without a table unchanged."""
    if sql.startswith("UPDATE"):
        return f"UPDATE {_UPDATED.match(sql)[1]}"
    found = _TABLE.match(sql)
    return " ".join(found.groups()) if found else sql.removesuffix(" IMMEDIATE")

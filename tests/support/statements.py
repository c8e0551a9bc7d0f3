"""SQL statements in few words, for the tests that list them."""

import re

_TABLE = re.compile(r'(SELECT|INSERT|UPDATE|DELETE).*?(?:FROM|INTO|UPDATE) "(\w+)"', re.DOTALL)
_UPDATED = re.compile(r'UPDATE "(\w+)"')


def described(sql):
    """Return a statement's verb and the table it is about, or the word as it is."""
    if sql.startswith("UPDATE"):
        return f"UPDATE {_UPDATED.match(sql)[1]}"
    found = _TABLE.match(sql)
    return " ".join(found.groups()) if found else sql.removesuffix(" IMMEDIATE")

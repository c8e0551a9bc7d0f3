"""docs/settings.md and the settings name the same variables."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READERS = {"config/settings.py": r"environment\.\w+", "config/wiring/environment.py": "text"}
"""file → what the calls that read a variable there look like"""


def variables() -> list[str]:
    """Return the name of every variable that the settings read, as their source has it."""
    return sorted(
        {
            node.args[0].value
            for path, reader in READERS.items()
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.Call)
            and re.fullmatch(reader, ast.unparse(node.func))
            and node.args
            and isinstance(node.args[0], ast.Constant)
        }
    )


def test_the_variables_are_found():
    assert {"SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "BIND"} <= set(variables())


@pytest.mark.parametrize("name", variables())
def test_the_variable_is_documented(name):
    assert f"`{name}`" in (ROOT / "docs" / "settings.md").read_text()

"""What tests share has modules of its own: nothing is imported from a conftest.py or a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# Imports are the same whatever the database.
pytestmark = pytest.mark.once

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def test_nothing_is_imported_from_a_conftest_or_a_test() -> None:
    modules = [path for path in TESTS.rglob("*.py") if "node_modules" not in path.parts]

    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules
        for line, name in imports(path)
        if any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]

    assert found == []


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the dotted names that a module imports, each with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            start = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            names = [f"{module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names)

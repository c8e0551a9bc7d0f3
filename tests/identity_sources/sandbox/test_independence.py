"""The emulator must not inherit the client's mistakes."""

import ast
from pathlib import Path

import identity_sources.sandbox

FOREIGN_TO_THE_CORE = ("django", "identity_sources.wechat", "rest_framework")


def imported_modules(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_the_sandbox_imports_neither_the_client_nor_django():
    package = Path(identity_sources.sandbox.__file__).parent
    sources = sorted(package.glob("**/*.py"))

    assert len(sources) > 10
    for source in sources:
        for module in imported_modules(source.read_text(encoding="utf-8")):
            assert not module.startswith(FOREIGN_TO_THE_CORE), f"{source.name}: {module}"

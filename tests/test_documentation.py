"""The documentation, and what the code says of itself, point only at what is there."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
APPS = ("accounts", "applications", "config", "identity_sources", "userpools")
FOLDERS = (*APPS, "benchmarks", "docs", "examples", "requirements", "templates", "tests")
SOURCES = sorted(
    [
        *(path for folder in (*APPS, "tests") for path in (ROOT / folder).rglob("*.py")),
        *(ROOT / "benchmarks").glob("*.py"),  # not the peers' environment
    ]
)

LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#\s]*)(?:#[^)]*)?\)")
# A path with an ending, anywhere; in backticks a folder as well.
FILE = re.compile(r"(?<![\w/.…*{}<>-])((?:[\w.-]+/)+[\w-]+(?:\.[\w-]+)+)(?![\w/…*])")
IN_BACKTICKS = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
# A line of a package's docstring that says what one of its modules is for.
MAPPED = re.compile(r"^(?: {4}|- `)(\w+)(?:\.py\b|`:)", re.MULTILINE)
SMALLEST_MAP = 3
# What lies in every app of Django's, and is found without a map.
CONVENTIONAL = {"__init__", "apps", "management", "migrations", "urls"}
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
CLAUSES = ROOT / "docs" / "openid-connect-clauses.md"
PLACE = re.compile(r"`((?:[\w]+/)+\w+\.py)` → ((?:`[\w.]+`(?:, )?)+)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def test_there_are_pages():
    assert {"README.md", "docs/rest.md", "docs/quick-start.zh.md"} <= {name(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_within_the_project_resolves(page):
    targets = [target for target in LINK.findall(page.read_text()) if target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_that_a_page_names_is_there(page):
    assert missing(page, page.read_text()) == []


def test_every_path_that_a_comment_names_is_there():
    assert [(name(path), missed) for path in SOURCES if (missed := missing(path, said(path)))] == []


def test_every_module_that_a_package_describes_is_there():
    described = {
        path.parent / module
        for path in SOURCES
        if path.name == "__init__.py"
        for module in MAPPED.findall(said(path))
    }

    assert len(described) > 30
    assert [
        name(path) for path in described if not (path.is_dir() or path.with_suffix(".py").exists())
    ] == []


def test_a_package_that_describes_modules_leaves_none_out():
    packages = [
        path.parent
        for path in SOURCES
        if path.name == "__init__.py" and len(MAPPED.findall(said(path))) >= SMALLEST_MAP
    ]

    assert len(packages) > 20
    assert [name(module) for package in packages for module in left_out(package)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_function_that_a_walk_names_is_where_it_says(page):
    for path, names in PLACE.findall(page.read_text()):
        source = (ROOT / path).read_text()
        for word in re.findall(r"\w+", names):
            assert re.search(rf"(def|class) {word}\b|^{word}\b", source, re.MULTILINE), (path, word)


@pytest.mark.parametrize("lock", ["requirements/runtime.txt", "requirements/dev.txt"])
def test_a_lock_names_hashes_and_no_place(lock):
    text = (ROOT / lock).read_text()

    assert "--hash=sha256:" in text
    assert re.search(r"https?:|file:", text) is None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_test_that_is_named_is_there(page):
    named = TEST.findall(page.read_text())

    assert [test for path, test in named if test not in functions_of(ROOT / path)] == []


def test_every_clause_has_a_test_or_a_reason():
    rows = [line for line in CLAUSES.read_text().splitlines() if line.startswith("| ")]

    assert len(rows) > 250
    assert [row for row in rows if not all(cell.strip() for cell in row.split("|")[1:-1])] == []


def test_every_check_of_the_conformance_suite_is_counted():
    checks = functions_of(ROOT / "tests/certification/test_basic_op.py")
    modules = {check for check in checks if check.startswith("test_oidcc_")}
    listed = {test for path, test in TEST.findall(CLAUSES.read_text()) if "/test_basic_op" in path}

    assert modules <= listed
    assert f"| {len(modules)} |" in CLAUSES.read_text()


def functions_of(path: Path) -> set[str]:
    source = path.read_text() if path.exists() else ""
    return set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))


def missing(source: Path, text: str) -> list[str]:
    """Return the paths in a text that lead to nothing, from the root or from beside the source."""
    named = {
        path
        for path in FILE.findall(text) + IN_BACKTICKS.findall(text)
        if path.endswith(".py") or path.startswith(tuple(f"{folder}/" for folder in FOLDERS))
    }
    return sorted(
        path for path in named if not any((base / path).exists() for base in (ROOT, source.parent))
    )


def left_out(package: Path) -> list[Path]:
    """Return the modules of a package that its docstring doesn't name."""
    text = said(package / "__init__.py")
    modules = [
        path
        for path in sorted(package.iterdir())
        if path.stem not in CONVENTIONAL
        and (path.suffix == ".py" or (path / "__init__.py").exists())
    ]
    return [
        path for path in modules if not re.search(rf"(?<![\w/]){path.stem}(?:\.py\b|/|`)", text)
    ]


def said(path: Path) -> str:
    """Return a module's comments and docstrings."""
    return "\n".join([*comments(path), *docstrings(path)])


def comments(path: Path) -> Iterator[str]:
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield token.string


def docstrings(path: Path) -> Iterator[str]:
    """Yield what stands as a text of its own, be it below a head or below a constant."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)

"""The documentation points only at what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#\s]*)(?:#[^)]*)?\)")
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
def test_every_function_that_a_walk_names_is_where_it_says(page):
    for path, names in PLACE.findall(page.read_text()):
        source = (ROOT / path).read_text()
        for spelt in re.findall(r"`([\w.]+)`", names):
            word = spelt.rpartition(".")[2]
            assert re.search(rf"(def|class) {word}\b|^{word}\b", source, re.MULTILINE), (
                path,
                spelt,
            )


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

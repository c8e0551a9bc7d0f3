"""The documentation points only at what is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#\s]*)(?:#[^)]*)?\)")
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

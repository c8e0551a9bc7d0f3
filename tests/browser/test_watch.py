"""The tests' own watchman: what no page may do is noticed, and the browser is found or missed."""

import pytest

from tests.browser.chromium import find_chromium
from tests.browser.windows import Windows, sideways

# The watch is over the browser.
pytestmark = pytest.mark.once

INLINE_SCRIPT = """document.body.append(
    Object.assign(document.createElement("script"), { textContent: "document.title = 1" }))"""


@pytest.mark.parametrize(
    ("misdeed", "complaint"),
    [
        ("console.error('not well')", "console: not well"),
        ("setTimeout(() => { throw new Error('lost') })", "page error: lost"),
        ("fetch('/nowhere')", "404 at "),
        ("new Image().src = 'https://elsewhere.example/pixel.png'", "Content Security Policy"),
        ("location = 'https://elsewhere.example/'", "request to another host"),
        (INLINE_SCRIPT, "Content Security Policy"),
    ],
)
def test_what_no_page_may_do_is_noticed(browse: Windows, misdeed: str, complaint: str) -> None:
    page = browse()
    page.goto("/")

    page.evaluate(f"() => {{ {misdeed}; }}")
    page.wait_for_timeout(200)
    page.close()

    noticed, browse.complaints[:] = list(browse.complaints), []
    assert any(complaint in line for line in noticed), noticed


def test_a_page_that_scrolls_sideways_is_noticed_with_what_sticks_out(browse: Windows) -> None:
    page = browse()
    page.goto("/")
    assert sideways(page) == ""

    page.evaluate("() => { document.querySelector('h1').style.width = '2000px' }")

    assert "H1" in sideways(page)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"CHROMIUM": "/opt/chrome", "PATH": "/nowhere"}, "/opt/chrome"),
        ({"CHROMIUM": " ", "PATH": "/nowhere"}, None),
        ({}, None),
    ],
)
def test_the_browser_is_the_one_that_is_named(
    environ: dict[str, str], found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_chromium(environ) == found


def test_else_the_first_that_is_installed(tmp_path) -> None:
    for name in ("google-chrome", "chromium-browser"):
        (tmp_path / name).touch(mode=0o755)

    assert find_chromium({"PATH": str(tmp_path)}) == str(tmp_path / "chromium-browser")

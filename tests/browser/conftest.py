"""Tests in a real browser: the machine's Chromium, against a server on the database of the run."""

import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.chromium import MISSING, BrowserThread, find_chromium
from tests.browser.windows import WAIT_MILLISECONDS, Windows


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test in the browser's thread, then check its pages for errors."""
    windows: Windows | None = pyfuncitem.funcargs.get("browse")
    if windows is None:
        return None
    thread: BrowserThread = pyfuncitem.funcargs["browser_thread"]
    names = inspect.signature(pyfuncitem.function).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    try:
        thread.run(pyfuncitem.obj, **arguments)
        thread.run(windows.settle)
    except BaseException:
        thread.run(_keep_pictures, pyfuncitem, windows)
        raise
    assert windows.complaints == []
    return True


def _keep_pictures(item: Any, windows: Windows) -> None:
    folder: Path = item.funcargs["tmp_path"]
    for number, page in enumerate(windows.pages()):
        picture = folder / f"page-{number}.png"
        page.screenshot(path=picture)
        item.add_report_section("call", "browser", f"{page.url} looked like {picture}")


@pytest.fixture(scope="session")
def browser_thread() -> BrowserThread:
    return BrowserThread()


@pytest.fixture(scope="session")
def browser(browser_thread: BrowserThread) -> Iterator[Browser]:
    """One browser for all tests; without a browser they are skipped."""
    program = find_chromium(os.environ)
    if program is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with browser_thread.browser(program) as browser:
        yield browser


@pytest.fixture
def browse(
    browser: Browser,
    browser_thread: BrowserThread,
    threaded_database: None,
    live_server: LiveServer,
    settings: Settings,
    tmp_path: Path,
) -> Iterator[Windows]:
    """Opens windows: ``browse()`` without a session, ``browse(admin_client)`` as Ada."""
    settings.PUBLIC_URL = live_server.url
    windows = Windows(browser, live_server.url)
    yield windows
    browser_thread.run(windows.close)

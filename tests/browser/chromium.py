"""Finding the browser and starting it, in a thread of its own."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "There is no browser to test in. On Debian: apt-get install chromium. "
    "Elsewhere the variable CHROMIUM names the program, Chromium's or Chrome's."
)
FLAGS = (
    # It asks nobody but the server under test: no updates, no lists, not even a name is looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
)
SLOW_ENOUGH_TO_WATCH = 400

Answer = TypeVar("Answer")


def find_chromium(environ: Mapping[str, str]) -> str | None:
    """Return the program: the one that is named, else the first that is installed."""
    if named := environ.get("CHROMIUM", "").strip():
        return named
    installed = (shutil.which(name, path=environ.get("PATH")) for name in NAMES)
    return next((program for program in installed if program), None)


class BrowserThread:
    """The one thread in which the browser is driven.

    Playwright keeps an event loop running in the thread that started it, for as long as it is
    started. Django refuses to ask a database in such a thread, and would refuse it to every test
    that comes after. So the loop gets a thread of its own, and no DJANGO_ALLOW_ASYNC_UNSAFE is
    needed: fixtures make rows in the usual thread, the bodies of browser tests run in this one,
    where Django's refusal is welcome: they know only what a person in front of the browser knows.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "browser")

    def run(self, work: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
        """Do something there and wait for it."""
        return self._executor.submit(work, *arguments, **named).result()

    @contextmanager
    def browser(self, program: str) -> Iterator[Browser]:
        """Start the browser; it is stopped when the block ends."""
        playwright = self.run(sync_playwright().start)
        try:
            browser = self.run(playwright.chromium.launch, **_options(program))
            try:
                yield browser
            finally:
                self.run(browser.close)
        finally:
            self.run(playwright.stop)
            self._executor.shutdown()


def _options(program: str) -> dict[str, Any]:
    watched = bool(os.environ.get("HEADED"))
    return {
        "executable_path": program,
        "args": list(FLAGS),
        # Root has no sandbox, and many containers have none; the pages are our own.
        "chromium_sandbox": False,
        "headless": not watched,
        "slow_mo": SLOW_ENOUGH_TO_WATCH if watched else 0,
    }

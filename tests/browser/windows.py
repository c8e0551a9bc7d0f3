"""Windows of the browser, which note what no page of ours may do, and what tests do in them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

WAIT_MILLISECONDS = 15_000
WIDTHS = (360, 768, 1280)
HEIGHT = 800
FAILED_TO_LOAD = "Failed to load resource"

# What sticks out of the window and can't be reached by scrolling within some part of the page.
_STICKS_OUT = """() => [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => `${element.tagName}.${element.className}`.slice(0, 80)).slice(0, 5)"""


class Windows:
    """Opens windows, each with cookies of its own.

    A page that is shown in one of them writes no error into its console, violates no content
    security policy, asks no other host (but those of ``others``) and loads nothing that isn't
    there.
    """

    def __init__(self, browser: Browser, origin: str, *others: str) -> None:
        self.complaints: list[str] = []
        self.contexts: list[BrowserContext] = []
        self._browser = browser
        self._origin = origin
        self._hosts = tuple(f"{one}/" for one in (origin, *others))
        self._expected: set[int] = set()

    def __call__(self, operator: Client | None = None, **options: Any) -> Page:
        """Open a window, of somebody who has signed in or of a stranger."""
        size = {"width": WIDTHS[-1], "height": HEIGHT}
        context = self._browser.new_context(
            **{"base_url": self._origin, "viewport": size, "reduced_motion": "reduce"} | options
        )
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._follow(request.url))
        context.on("response", self._receive)
        if operator:
            context.add_cookies([self._session_of(operator)])
        self.contexts.append(context)
        return context.new_page()

    def expect(self, *statuses: int) -> None:
        """Allow refusals of the server: the test is about them."""
        self._expected |= set(statuses)

    def pages(self) -> list[Page]:
        return [page for context in self.contexts for page in context.pages]

    def settle(self) -> None:
        """Wait until the browser has said what there is to say of what happened so far."""
        for page in self.pages():
            page.evaluate("() => 0")

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        # What failed to load is judged by its answer.
        if message.type == "error" and not message.text.startswith(FAILED_TO_LOAD):
            self.complaints.append(f"console: {message.text}")

    def _follow(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in {"data", "blob"} and not url.startswith(self._hosts):
            self.complaints.append(f"request to another host: {url}")

    def _receive(self, response: Response) -> None:
        if not response.ok and response.status >= 400 and response.status not in self._expected:
            self.complaints.append(f"{response.status} at {response.url}")

    def _session_of(self, operator: Client) -> dict[str, str]:
        name = settings.SESSION_COOKIE_NAME
        return {"name": name, "value": operator.cookies[name].value, "url": self._origin}


def sideways(page: Page) -> str:
    """Say by how much the page scrolls sideways and what sticks out; nothing if it doesn't."""
    # Where the window has just become narrower, tabs move into a menu a moment later.
    for _look in range(20):
        wide, window = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
        if wide <= window:
            return ""
        page.wait_for_timeout(100)
    return f"{page.url} is {wide} px wide in {window}: {page.evaluate(_STICKS_OUT)}"


def at_every_width(page: Page) -> Iterator[str]:
    """Tell where the page scrolls sideways. Colours can't move anything, so one theme will do."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if problem := sideways(page):
            yield problem

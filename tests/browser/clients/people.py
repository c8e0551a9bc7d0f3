"""What a person does in the browser on the way from an application to WeChat and back."""

from playwright.sync_api import Page

from tests.browser.clients.client import Client
from tests.browser.clients.listener import Arrival, Listener

ALICE = "Alice Chen"


def log_in(page: Page, url: str) -> None:
    """Go where the application sends; at WeChat, Alice scans and confirms."""
    page.goto(url)
    scan_and_confirm(page)


def scan_and_confirm(page: Page) -> None:
    page.get_by_role("link", name="Log in with WeChat").click()
    page.get_by_role("button", name=ALICE).click()


def go_through(page: Page, client: Client, listener: Listener, **parameters: str) -> Arrival:
    """Log Alice in to the client's application; return how the browser came back."""
    log_in(page, client.begin(listener.callback, **parameters))
    return listener.arrival("/callback")

"""What a person does in the browser on the way from an application to WeChat and back."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.clients.client import Client
from tests.browser.clients.listener import Arrival, Listener

ALICE = "Alice Chen"

DECIDED = {"interval": 1}
"""of a device whose person has decided before it asks for the first time"""


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
    return come_back(page, listener)


def come_back(page: Page, listener: Listener, path: str = "/callback") -> Arrival:
    """Wait until the application has its answer, and the browser the application's page."""
    arrival = listener.arrival(path)
    expect(page.get_by_role("heading", name="Back at the application")).to_be_visible()
    return arrival


def let_in(page: Page, device: dict[str, Any]) -> None:
    """Enter the code that a device shows, log in where nobody is, and let it in."""
    page.goto(device["verification_uri"])
    page.get_by_label("The code that the device shows").fill(device["user_code"].lower())
    page.get_by_role("button", name="Continue").click()
    mine = page.get_by_role("button", name="It is mine: let it in")
    to_wechat = page.get_by_role("link", name="Log in with WeChat")
    expect(mine.or_(to_wechat)).to_be_visible()
    if to_wechat.is_visible():
        scan_and_confirm(page)
    mine.click()
    expect(page.get_by_role("heading", name="The device is logged in")).to_be_visible()

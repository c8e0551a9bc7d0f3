"""The first journey: from the overview to a person who has logged in, with nothing to read."""

import re

from playwright.sync_api import Page, expect

from tests.browser.windows import Windows
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant

STEPS = [
    "Request received",
    "Application and login method checked",
    "WeChat asked: jscode2session",
    "Identity read",
    "User created",
    "Tokens issued",
]


def test_an_operator_logs_alice_in_and_finds_her_and_the_trace_again(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client, reduced_motion="no-preference")
    page.goto("/console/")
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Shop").click()
    page.get_by_role("link", name="Experience login").click()
    page.get_by_role("button", name="Alice Chen").click()

    expect(page.get_by_role("heading", name="Alice Chen is now a user of Acme")).to_be_visible()
    expect(page.get_by_role("heading", name="Welcome, Alice Chen")).to_be_visible()
    assert titles(page) == STEPS
    expect(page.locator(".trace > li.done")).to_have_count(len(STEPS))
    expect(page.get_by_text("Tokens issued")).to_be_visible()
    told, experience = trace(page), page.url
    sub = page.locator(".trace dt:text-is('sub') + dd").inner_text()

    page.get_by_role("link", name="Open the user").click()
    expect(page).to_have_url(re.compile("/console/acme/users/.+/change/$"))
    expect(page.get_by_role("heading", name=f"Users {sub}")).to_be_visible()
    page.get_by_role("link", name="Linked accounts").click()
    expect(page.get_by_text(acme.source.app_id)).to_be_visible()

    page.go_back()
    page.goto("/console/acme/")
    expect(page.get_by_role("link", name="Logins, 24 hours")).to_contain_text("1")
    page.get_by_role("link", name="Login events").click()
    page.get_by_role("link", name=re.compile("just now|ago$")).click()
    assert trace(page) == told
    expect(page.get_by_text("a test by an operator")).to_be_visible()

    page.goto(experience)
    expect(page.get_by_role("button", name="Alice Chen")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator(".trace h3").evaluate_all("all => all.map(h3 => h3.firstChild.textContent)")


def trace(page: Page) -> str:
    """Return the trace's words, whatever the page around it looks like."""
    return " ".join((page.locator(".trace").text_content() or "").split())

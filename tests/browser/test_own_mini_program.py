"""The second journey: an operator's own mini program, from an empty installation to a login."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from tests.browser.windows import Windows
from tests.support import fake_wechat
from tests.support.client import GuardedClient
from tests.support.fake_wechat import FakeWeChat

# Pages are the same whatever the database; the first login and the console run on both.
pytestmark = pytest.mark.once


@pytest.fixture
def wechat(settings: Settings) -> Iterator[None]:
    """A program that answers live sources as WeChat does."""
    with FakeWeChat() as fake:
        settings.WECHAT_API_URL = fake.url
        yield


def make_pool(page: Page) -> None:
    page.goto("/console/")
    page.get_by_role("link", name=re.compile("^Add user pool", re.IGNORECASE)).click()
    page.get_by_label("Name").fill("Globex")
    page.get_by_label("Identifier").fill("globex")
    save(page)
    expect(page).to_have_url(re.compile("/console/globex/$"))


def choose_type(page: Page, mode: str) -> None:
    page.goto("/console/globex/")
    page.get_by_role("link", name="New identity source").click()
    page.get_by_role("link", name="小程序").click()
    page.get_by_label(mode).check()
    page.get_by_label("Display name").fill(f"{mode} mini program")


def make_application(page: Page) -> None:
    page.goto("/console/globex/applications/add/")
    page.get_by_label("Type").select_option(label="Mini program")
    page.get_by_label("Name").fill("Globex shop")
    page.get_by_label("Client ID").fill("globex-shop")
    save(page)
    expect(page).to_have_url(re.compile("/change/#login_methods$"))


def offer(page: Page, source: str) -> None:
    """Toggle the source's login method on and stay on the page."""
    row = page.locator("tr", has_text=source).filter(visible=True)
    row.locator("input[type=checkbox]").check()
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state()


def open_row(page: Page, name: str) -> None:
    page.locator("#result_list").get_by_role("link", name=name).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()


def test_from_a_new_pool_to_a_login(browse: Windows, superuser_client: GuardedClient) -> None:
    page = browse(superuser_client, permissions=["clipboard-read", "clipboard-write"])
    make_pool(page)
    expect(page.get_by_text("The first login, step by step")).to_be_visible()

    choose_type(page, "Sandbox")
    save(page)
    open_row(page, "Sandbox mini program")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("WeChat accepts both.")).to_be_visible()
    expect(page.locator(".up-bad")).to_have_count(0)

    make_application(page)
    expect(page.get_by_role("heading", name="What is missing")).to_be_visible()
    offer(page, "Sandbox mini program")
    expect(page.get_by_role("heading", name="Everything is set up")).to_be_visible()
    expect(page.locator(".up-checks .up-bad")).to_have_count(0)

    page.get_by_role("link", name="Integration").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    snippet = page.evaluate("() => navigator.clipboard.readText()")
    assert 'client_id: "globex-shop"' in snippet
    assert re.search(r'url: "http://localhost:\d+/api/v1/login/wechat-mini-program"', snippet)

    page.get_by_role("link", name="Experience login").click()
    page.get_by_role("button", name="Bob Wang").click()
    expect(page.get_by_role("heading", name="Bob Wang is now a user of Globex")).to_be_visible()


def test_a_live_source_is_checked_and_tried_and_a_code_of_the_developer_tools_logs_in(
    browse: Windows, superuser_client: GuardedClient, wechat: None
) -> None:
    page = browse(superuser_client)
    make_pool(page)
    choose_type(page, "Live")
    page.get_by_label("AppID").fill("not-an-appid")
    page.get_by_label("AppSecret").fill("f" * 32)
    save(page)
    expect(page).to_have_url(re.compile("/sources/add/"))
    expect(page.locator(".errorlist, .text-red-600").first).to_be_visible()
    assert "f" * 32 not in page.content()

    page.get_by_label("AppID").fill(fake_wechat.APP_ID)
    page.get_by_label("AppSecret").fill("f" * 32)
    save(page)
    open_row(page, "Live mini program")

    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("errcode 40125")).to_be_visible()
    expect(page.get_by_text("What to do:").first).to_be_visible()
    page.get_by_role("link", name="Back to the source").click()
    page.get_by_label("New AppSecret").fill(fake_wechat.APP_SECRET)
    save(page)
    assert fake_wechat.APP_SECRET not in page.content()

    make_application(page)
    offer(page, "Live mini program")
    page.get_by_role("link", name="Experience login").click()
    page.get_by_label("code of wx.login").fill("alice-1")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("heading", name="A new user")).to_be_visible()
    expect(page.locator(".trace .stopped")).to_have_count(0)

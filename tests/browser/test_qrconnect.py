"""The sandbox's page with a code to scan, as somebody has it before them who logs in."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.windows import Windows, at_every_width
from tests.support import builders

# The sandbox keeps its codes in the cache, whatever the database.
pytestmark = pytest.mark.once


def open_page(page: Page, origin: str, lang: str = "en") -> None:
    query = {
        "appid": builders.MINI_APP_ID,
        "redirect_uri": f"{origin}/?flow=1",
        "response_type": "code",
        "scope": "snsapi_login",
        "state": "s1",
        "lang": lang,
    }
    page.goto(f"/sandbox/connect/qrconnect?{urlencode(query)}")


def where(page: Page) -> dict[str, list[str]]:
    address = urlsplit(page.url)
    assert address.path == "/"
    return parse_qs(address.query)


def test_who_is_picked_confirms_and_is_back_at_the_website(
    browse: Windows, live_server_url: str
) -> None:
    page = browse()
    open_page(page, live_server_url)

    page.get_by_role("button", name="Alice Chen").click()

    expect(page.get_by_role("heading", name="WeChat login for your applications")).to_be_visible()
    assert where(page) == {"flow": ["1"], "code": [where(page)["code"][0]], "state": ["s1"]}


def test_who_refuses_stays_or_goes_back_without_a_code(
    browse: Windows, live_server_url: str
) -> None:
    page = browse()
    open_page(page, live_server_url)

    page.get_by_role("button", name="Refuse", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The person refused")

    page.get_by_role("button", name="Mallory Ma").click()
    expect(page.get_by_role("status")).to_contain_text("WeChat's risk control")

    page.get_by_role("button", name="Refuse, as WeChat did formerly").click()
    expect(page.get_by_role("heading", name="WeChat login for your applications")).to_be_visible()
    assert where(page) == {"flow": ["1"], "state": ["s1"]}


@pytest.mark.parametrize("lang", ["cn", "en"])
def test_the_page_does_not_scroll_sideways(
    browse: Windows, live_server_url: str, lang: str
) -> None:
    page = browse()
    open_page(page, live_server_url, lang)

    assert list(at_every_width(page)) == []


@pytest.fixture
def live_server_url(live_server: LiveServer) -> str:
    return live_server.url

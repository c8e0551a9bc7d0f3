"""Operators sign in and out, and choose the language and the theme that they read in."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.windows import Windows
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant

# Pages are the same whatever the database; the first login and the console run on both.
pytestmark = pytest.mark.once


@pytest.fixture
def ada(acme: Tenant) -> str:
    """The user name of Acme's administrator."""
    return builders.make_operator("ada", acme.pool).username


def sign_in(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_wrong_password_lets_nobody_in_and_says_so(browse: Windows, ada: str) -> None:
    page = browse()
    page.goto("/console/acme/")

    sign_in(page, ada, "not the password")

    expect(page.get_by_text("Please enter a correct username and password")).to_be_visible()
    page.goto("/console/acme/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_right_one_opens_the_page_that_was_asked_for_until_she_signs_out(
    browse: Windows, ada: str
) -> None:
    page = browse()
    page.goto("/")
    page.get_by_role("link", name="Open the console").click()
    sign_in(page, ada, builders.OPERATOR_PASSWORD)
    expect(page).to_have_url(re.compile("/console/acme/$"))
    expect(page).to_have_title("Overview | Unionpass")

    user_menu(page)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile("/console/login/$"))

    page.goto("/console/acme/users/")
    expect(page.get_by_label("Password")).to_be_visible()
    sign_in(page, ada, builders.OPERATOR_PASSWORD)
    expect(page).to_have_url(re.compile("/console/acme/users/$"))


def test_she_signs_in_by_keyboard_alone(browse: Windows, ada: str) -> None:
    page = browse()
    page.goto("/console/")

    page.keyboard.press("Tab")
    page.keyboard.type(ada)
    page.keyboard.press("Tab")
    page.keyboard.type(builders.OPERATOR_PASSWORD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/console/acme/$"))


def test_she_signs_out_by_keyboard_alone(browse: Windows, admin_client: GuardedClient) -> None:
    page = browse(admin_client)
    page.goto("/console/acme/")

    page.get_by_role("button", name="ada").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/console/login/$"))


def test_the_console_changes_to_chinese_and_back(
    browse: Windows, admin_client: GuardedClient
) -> None:
    page = browse(admin_client)
    page.goto("/console/acme/applications/")

    user_menu(page)
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("link", name="身份源")).to_be_visible()
    expect(page).to_have_url(re.compile("/console/acme/applications/$"))

    user_menu(page)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("link", name="Identity sources")).to_be_visible()


def test_the_welcome_page_changes_to_chinese_and_back(browse: Windows) -> None:
    page = browse()
    page.goto("/")

    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("link", name="打开控制台")).to_be_visible()

    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("link", name="Open the console")).to_be_visible()


def test_a_chinese_browser_is_greeted_in_chinese(browse: Windows) -> None:
    page = browse(locale="zh-CN")
    page.goto("/")

    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.get_by_role("link", name="打开控制台")).to_be_visible()


def test_the_console_is_dark_once_she_chose_it_and_stays_so(
    browse: Windows, admin_client: GuardedClient
) -> None:
    page = browse(admin_client, color_scheme="light")
    page.goto("/console/acme/")
    light = ground(page)

    user_menu(page)
    page.get_by_text("Dark", exact=True).click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    assert brightness(ground(page)) < brightness(light)

    page.goto("/console/acme/users/")
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))


def test_a_page_is_as_dark_as_the_visitors_system(browse: Windows) -> None:
    page = browse()

    for path in ("/", "/console/login/"):
        page.emulate_media(color_scheme="light")
        page.goto(path)
        light = ground(page)
        page.emulate_media(color_scheme="dark")
        page.reload()
        assert brightness(ground(page)) < brightness(light), path


def user_menu(page: Page) -> None:
    """Open the menu below the operator's name."""
    page.locator("#nav-sidebar, nav, div").get_by_text("unfold_more").last.click()


def ground(page: Page) -> str:
    """Return the colour that a page is painted on."""
    return page.evaluate("() => getComputedStyle(document.body).backgroundColor")


def brightness(colour: str) -> float:
    """Tell how bright a colour is, whether it is given as rgb() or as oklch()."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", colour)]
    return numbers[0] * 255 if colour.startswith("okl") else sum(numbers[:3]) / 3

"""A person goes from an application to the login pages, to WeChat's page, and back.

The application is another site than the login, as they are in the world: its pages come from
another host, so that cookies go along only where SameSite lets them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from applications.models import Application, PostLogoutRedirectURI, RedirectURI
from identity_sources.models import IdentitySource
from tests.browser.chromium import BrowserThread
from tests.browser.windows import HEIGHT, WIDTHS, Windows, at_every_width
from tests.support.oidc import post
from tests.support.tenants import Tenant
from tests.support.website import Site, authorization_request, make_site

# What a browser does is no matter of the database.
pytestmark = pytest.mark.once

LONG_NAME = (
    "Somebodyslongestapplicationnamethatfitsintothehundredcharacterswhichtheremaybe" + "e" * 21
)

PAGE = """<!DOCTYPE html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">
<h1>The shop</h1><a href="{link}">Go</a></html>"""


@dataclass
class Shop:
    """An application's own site; ``came`` is what browsers brought to it, oldest first."""

    origin: str = ""
    issuer: str = ""
    link: str = ""
    """where its page leads"""
    came: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """(method, path, parameters)"""

    @property
    def answer(self) -> dict[str, str]:
        """The parameters with which somebody came to the redirect URI, once."""
        (found,) = [brought for _method, path, brought in self.came if path == "/callback"]
        return found


@contextmanager
def shop_open() -> Iterator[Shop]:
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            self._welcome("GET", address.path, address.query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._welcome("POST", self.path, body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

        def _welcome(self, method: str, path: str, brought: str) -> None:
            shop.came.append((method, path, dict(parse_qsl(brought))))
            page = PAGE.format(link=escape(shop.link))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        shop.origin = f"http://127.0.0.1:{server.server_port}"
        yield shop
        server.shutdown()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with shop_open() as shop:
        yield shop


@pytest.fixture
def browse(
    browser: Browser,
    browser_thread: BrowserThread,
    threaded_database: None,
    live_server: LiveServer,
    settings: Settings,
    shop: Shop,
    tmp_path: Path,
) -> Iterator[Windows]:
    """Opens windows on the server, from which the shop is visited as well."""
    settings.PUBLIC_URL = live_server.url
    windows = Windows(browser, live_server.url, shop.origin)
    yield windows
    browser_thread.run(windows.close)


@pytest.fixture
def site(browse: Windows, acme: Tenant, shop: Shop, live_server: LiveServer) -> Site:
    """Acme's applications; the single-page one is the shop."""
    shop.issuer = f"{live_server.url}/oidc/acme"
    site = make_site(acme.pool)
    RedirectURI.objects.create(application=site.spa, uri=f"{shop.origin}/callback")
    PostLogoutRedirectURI.objects.create(application=site.spa, uri=f"{shop.origin}/bye")
    return site


@pytest.fixture
def asking(site: Site) -> None:
    """The shop asks its people for consent."""
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)


@pytest.fixture
def user_code(site: Site) -> str:
    """What a television shows."""
    answer = post("device_authorization", {"client_id": "acme-native"})
    code: str = answer.json()["user_code"]
    return code


@pytest.fixture
def unsure(site: Site) -> None:
    """The source asks whose a new WeChat account is."""
    IdentitySource.objects.filter(pk=site.source.pk).update(association="ask")


@pytest.fixture
def long_name(site: Site) -> None:
    Application.objects.filter(pool=site.pool).update(name=LONG_NAME)


def log_in_from(page: Page, shop: Shop, **changes: str | None) -> None:
    """Press the shop's own link to the login."""
    asked = authorization_request(redirect_uri=f"{shop.origin}/callback", **changes)
    follow_from(page, shop, f"authorize?{urlencode(asked)}")


def follow_from(page: Page, shop: Shop, path: str) -> None:
    """Press a link of the shop's that leads to the issuer."""
    shop.link = f"{shop.issuer}/{path}"
    page.goto(f"{shop.origin}/")
    page.get_by_role("link", name="Go").click()


def press_wechat(page: Page) -> None:
    page.get_by_role("link", name="Log in with WeChat").click()


def confirm(page: Page, person: str = "Alice Chen") -> None:
    """Scan the code of WeChat's page, and confirm on the phone."""
    page.get_by_role("button", name=person).click()


def expect_shop(page: Page) -> None:
    expect(page.get_by_role("heading", name="The shop")).to_be_visible()


def test_a_person_logs_in_with_wechat_and_is_back_at_the_application(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse()
    log_in_from(page, shop, state="the shop's & own")

    expect(page.get_by_role("heading", name="Log in to Spa")).to_be_visible()
    press_wechat(page)
    confirm(page)

    expect_shop(page)
    assert shop.answer.keys() == {"code", "state", "iss"}
    assert (shop.answer["state"], shop.answer["iss"]) == ("the shop's & own", shop.issuer)


def test_a_second_application_is_entered_without_a_page(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse()
    log_in_from(page, shop)
    press_wechat(page)
    confirm(page)
    expect_shop(page)
    shop.came.clear()

    log_in_from(page, shop, prompt="none")

    expect_shop(page)
    assert "code" in shop.answer


def test_whoever_refuses_in_wechat_may_try_again_or_cancel(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse()
    log_in_from(page, shop)

    press_wechat(page)
    page.get_by_role("button", name="Refuse, as WeChat did formerly").click()
    expect(page.get_by_role("alert")).to_contain_text("You didn't confirm in WeChat")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("You didn't confirm in WeChat")
    press_wechat(page)
    page.go_back()
    page.get_by_role("button", name="Cancel").click()

    expect_shop(page)
    assert shop.answer["error"] == "access_denied"


def test_the_language_can_be_chosen_on_the_page_of_a_refusal(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse(locale="en-US")
    log_in_from(page, shop)
    press_wechat(page)
    page.get_by_role("button", name="Refuse, as WeChat did formerly").click()

    page.get_by_role("button", name="简体中文").click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-hans"


@pytest.mark.parametrize(("button", "answered"), [("Agree", "code"), ("Don't agree", "error")])
def test_a_person_is_asked_what_the_application_may_know(
    browse: Windows, site: Site, shop: Shop, asking: None, button: str, answered: str
) -> None:
    page = browse()
    log_in_from(page, shop)
    press_wechat(page)
    confirm(page)

    expect(page.get_by_text("see your nickname and picture")).to_be_visible()
    page.get_by_role("button", name=button, exact=True).click()

    expect_shop(page)
    assert answered in shop.answer


def test_an_answer_goes_on_by_a_form_that_sends_itself(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse()
    log_in_from(page, shop, response_mode="form_post")
    press_wechat(page)
    confirm(page)

    expect_shop(page)
    assert [method for method, path, _ in shop.came if path == "/callback"] == ["POST"]
    assert shop.answer.keys() == {"code", "state", "iss"}


def test_without_scripts_a_button_sends_the_form(browse: Windows, site: Site, shop: Shop) -> None:
    page = browse(java_script_enabled=False)
    log_in_from(page, shop, response_mode="form_post")
    press_wechat(page)
    confirm(page)

    page.get_by_role("button", name="Back to the application").click()

    expect_shop(page)
    assert "code" in shop.answer


def test_a_device_is_let_in(browse: Windows, site: Site, shop: Shop, user_code: str) -> None:
    page = browse()
    page.goto("/login/acme/device")

    page.get_by_label("The code that the device shows").fill("wrong")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("No device waits with this code")
    page.get_by_label("The code that the device shows").fill(user_code.lower())
    page.get_by_role("button", name="Continue").click()
    press_wechat(page)
    confirm(page)
    page.get_by_role("button", name="It is mine: let it in").click()

    expect(page.get_by_role("heading", name="The device is logged in")).to_be_visible()


def test_a_person_logs_out_and_is_asked_who_they_are_again(
    browse: Windows, site: Site, shop: Shop
) -> None:
    page = browse()
    log_in_from(page, shop)
    press_wechat(page)
    confirm(page)
    expect_shop(page)

    bye = {"client_id": "acme-spa", "post_logout_redirect_uri": f"{shop.origin}/bye"}
    follow_from(page, shop, f"logout?{urlencode(bye)}")
    page.get_by_role("button", name="Log out").click()
    expect_shop(page)
    log_in_from(page, shop)

    assert shop.came[-2][1] == "/bye"
    expect(page.get_by_role("link", name="Log in with WeChat")).to_be_visible()


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("zh-CN", "dark")])
def test_no_page_of_a_login_scrolls_sideways(
    browse: Windows,
    site: Site,
    shop: Shop,
    asking: None,
    unsure: None,
    long_name: None,
    user_code: str,
    locale: str,
    scheme: str,
) -> None:
    browse.expect(400)
    page = browse(locale=locale, color_scheme=scheme)
    problems = []

    for _shown in walk(page, shop, user_code):
        problems += at_every_width(page)
        page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})

    assert problems == []


def walk(page: Page, shop: Shop, user_code: str) -> Iterator[str]:
    """Show one page of a login after the other; which button is which is told by its place."""
    log_in_from(page, shop)
    yield "sign-in"
    page.locator(".ways a").click()
    page.locator("form button").last.click()
    page.locator("[role=alert]").wait_for()
    yield "refused"
    page.locator(".ways a").click()
    page.locator("button[value=alice]").click()
    page.locator("button[value=create]").wait_for()
    yield "bind"
    page.locator("button[value=create]").click()
    page.locator("button[value=agree]").wait_for()
    yield "consent"
    page.goto("/login/acme/device")
    yield "device"
    page.locator("[name=user_code]").fill(user_code)
    page.locator("main button").click()
    page.locator(".choice").wait_for()
    yield "device-confirm"
    page.locator("button[value=agree]").click()
    page.locator(".choice").wait_for(state="detached")
    yield "device-done"
    page.goto("/oidc/acme/logout")
    yield "log-out"
    page.locator("main button").click()
    page.locator("main button").wait_for(state="detached")
    yield "logged-out"
    page.goto("/oidc/acme/authorize?client_id=acme-spa&redirect_uri=https://evil.example/")
    yield "refusal"
    page.goto("/login/acme/nothing")
    yield "gone"

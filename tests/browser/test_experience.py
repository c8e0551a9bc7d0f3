"""Experience login: each outcome as the operator sees it, and who may see it at all."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.users.suspension import suspend
from tests.browser.windows import Windows
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant
from tests.support.website import Site, make_site

# Pages are the same whatever the database; the first login and the console run on both.
pytestmark = pytest.mark.once

PAGE = "/experience/acme-shop"


@pytest.fixture
def known_alice(acme: Tenant, log_in: Callable[..., HttpResponse]) -> User:
    """Alice, who logged in at her mini program before."""
    return User.objects.get(sub=log_in("alice").json()["user"]["sub"])


def pick(page: Page, person: str, path: str = PAGE) -> None:
    page.goto(path)
    page.get_by_role("button", name=person).click()
    expect(page.locator(".trace")).to_be_visible()


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_somebody_who_was_there_before_is_welcomed_back(
    browse: Windows, admin_client: GuardedClient, known_alice: User
) -> None:
    page = browse(admin_client)
    pick(page, "Alice Chen")

    assert heading(page) == "Known by the OpenID."
    expect(page.get_by_role("heading", name="Welcome back, Alice Chen")).to_be_visible()
    expect(page.get_by_role("heading", name="User found")).to_be_visible()


def test_one_after_the_other_logs_in_from_the_same_page(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client)
    pick(page, "Alice Chen")

    page.get_by_text("Try again, or somebody else").click()
    page.get_by_label("also give the phone number").check()
    page.get_by_role("button", name="Bob Wang").click()

    expect(page.get_by_role("heading", name="Bob Wang is now a user of Acme")).to_be_visible()
    expect(page.get_by_text("WeChat gave the number, and it was stored.")).to_be_visible()


def test_without_a_unionid_the_trace_says_what_to_do(
    browse: Windows, admin_client: GuardedClient, unbound: str
) -> None:
    page = browse(admin_client)
    pick(page, "Carol Lin", unbound)

    expect(page.get_by_text("WeChat gave an OpenID and no UnionID.")).to_be_visible()
    expect(page.locator(".trace .notice .remedy")).to_contain_text("Open Platform account")
    assert heading(page) == "Carol Lin is now a user of Acme"


@pytest.fixture
def unbound(acme: Tenant) -> str:
    """The experience page of an application whose mini program is bound to no account."""
    application = builders.make_application(acme.pool, client_id="acme-unbound", name="Unbound")
    fields = {"identifier": "unbound", "app_id": builders.UNBOUND_APP_ID}
    builders.offer(application, builders.make_source(acme.pool, **fields))
    return "/experience/acme-unbound"


def test_a_person_whom_wechat_blocks_stops_with_the_reason(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client)
    pick(page, "Mallory Ma")

    assert heading(page).startswith("Refused: ")
    expect(page.locator(".trace .stopped")).to_contain_text("wechat_user_blocked")
    expect(page.locator(".trace")).to_contain_text("40226")
    expect(page.get_by_role("heading", name="The person isn't logged in")).to_be_visible()
    expect(page.get_by_role("link", name="Open the user")).to_have_count(0)


def test_a_suspended_user_is_refused(
    browse: Windows, admin_client: GuardedClient, suspended_alice: User
) -> None:
    page = browse(admin_client)
    pick(page, "Alice Chen")

    expect(page.locator(".trace .stopped")).to_contain_text("user_suspended")


@pytest.fixture
def suspended_alice(known_alice: User) -> User:
    suspend(known_alice, now=timezone.now())
    return known_alice


def test_a_viewer_has_no_button_and_is_refused(
    browse: Windows, viewer_client: GuardedClient, acme: Tenant
) -> None:
    browse.expect(403)
    page = browse(viewer_client)
    for path in ("", f"applications/{acme.application.pk}/change/"):
        page.goto(f"/console/acme/{path}")
        expect(page.get_by_text("Shop").filter(visible=True).first).to_be_visible()
        expect(page.get_by_text("Experience login")).to_have_count(0)
        expect(page.get_by_role("button", name="Save")).to_have_count(0)

    answer = page.goto(PAGE)

    assert answer.status == 403
    expect(page.get_by_role("heading", name="This isn't yours to do")).to_be_visible()


def test_an_operator_of_another_pool_finds_nothing(
    browse: Windows, stranger_client: GuardedClient, acme: Tenant
) -> None:
    browse.expect(404)
    page = browse(stranger_client)

    for path in (PAGE, "/console/acme/", f"/console/globex/sources/{acme.source.pk}/change/"):
        assert page.goto(path).status == 404
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_a_stranger_has_to_sign_in_unless_the_page_was_shared_with_them(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page, guest = browse(admin_client), browse()
    page.goto(PAGE)
    page.get_by_text("Share this page").click()
    link = page.locator("#share-link").inner_text()

    guest.goto(PAGE)
    expect(guest.get_by_label("Password")).to_be_visible()

    pick(guest, "Dave Zhao", link)
    expect(guest.get_by_role("heading", name="Dave Zhao is now a user of Acme")).to_be_visible()
    expect(guest.get_by_text("Tokens issued")).to_have_count(0)
    expect(guest.locator("a[href^='/console/']")).to_have_count(0)


@pytest.fixture
def site(acme: Tenant) -> Site:
    return make_site(acme.pool)


def test_a_web_application_is_experienced_by_way_of_wechats_page(
    browse: Windows, admin_client: GuardedClient, site: Site
) -> None:
    page = browse(admin_client)
    page.goto(f"/console/acme/applications/{site.web.pk}/change/")
    page.get_by_role("link", name="Experience login").click()

    page.get_by_role("link", name="Log in with WeChat").click()
    expect(page).to_have_url(re.compile("/sandbox/connect/qrconnect"))
    page.get_by_role("button", name="Alice Chen").click()

    expect(page).to_have_url(re.compile("/experience/acme-web/callback"))
    expect(page.get_by_role("heading", name="Alice Chen is now a user of Acme")).to_be_visible()
    expect(page.get_by_role("heading", name="Welcome, Alice Chen")).to_be_visible()
    expect(page.locator(".trace > li")).to_have_count(5)
    expect(page.locator(".trace > li.done")).to_have_count(5)
    expect(page.get_by_role("heading", name="User created")).to_be_visible()
    assert {cookie["name"] for cookie in page.context.cookies()} <= {
        settings.SESSION_COOKIE_NAME,
        settings.CSRF_COOKIE_NAME,
    }

    page.get_by_text("Try again, or somebody else").click()
    page.get_by_role("link", name="Log in with WeChat").click()
    page.get_by_role("button", name="Refuse, as WeChat did formerly").click()
    expect(page.get_by_role("alert")).to_contain_text("You didn't confirm in WeChat.")


def test_a_guest_experiences_a_web_application_and_stays_a_guest(
    browse: Windows, admin_client: GuardedClient, site: Site
) -> None:
    page, guest = browse(admin_client), browse(java_script_enabled=False)
    page.goto("/experience/acme-web")
    page.get_by_text("Share this page").click()

    guest.goto(page.locator("#share-link").inner_text())
    guest.get_by_role("link", name="Log in with WeChat").click()
    guest.get_by_role("button", name="Dave Zhao").click()

    expect(guest.get_by_role("heading", name="Dave Zhao is now a user of Acme")).to_be_visible()
    expect(guest.locator("a[href^='/console/']")).to_have_count(0)


def test_it_is_operated_by_keyboard_alone(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client)
    page.goto(PAGE)

    tab_to(page, "Bob Wang")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Bob Wang is now a user of Acme")).to_be_visible()
    tab_to(page, "Open the user")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/console/acme/users/"))


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says these words, and see that it shows."""
    for _press in range(40):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if words in focused.inner_text():
            assert focused.evaluate("(it) => getComputedStyle(it).outlineStyle") == "solid"
            return
    pytest.fail(f"Tab doesn't reach {words!r}.")


def test_it_works_without_scripts(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client, java_script_enabled=False)
    page.goto("/")
    expect(page.get_by_role("link", name="Open the console")).to_be_visible()

    pick(page, "Alice Chen")
    expect(page.get_by_role("heading", name="Alice Chen is now a user of Acme")).to_be_visible()
    page.get_by_text("Try again, or somebody else").click()
    page.get_by_role("button", name="Erin Ho").click()
    expect(page.get_by_role("heading", name="Erin Ho is now a user of Acme")).to_be_visible()

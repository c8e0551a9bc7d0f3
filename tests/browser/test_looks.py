"""No page scrolls sideways: on a phone, on a tablet, on a desk, in either language and theme."""

from collections.abc import Callable, Iterator

import pytest
from django.http import HttpResponse
from django.utils import timezone
from playwright.sync_api import Page

from accounts.merging.merge import merge_by_hand
from accounts.models import LoginEvent, User
from tests.browser.windows import HEIGHT, WIDTHS, Windows, at_every_width
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.people import hold, make_pair
from tests.support.tenants import Tenant

# How wide a page is is no matter of the database.
pytestmark = pytest.mark.once


@pytest.fixture
def console_pages(acme: Tenant, log_in: Callable[..., HttpResponse]) -> list[str]:
    """The console's pages, with something on each of them."""
    log_in("alice")
    log_in("mallory")
    user = User.objects.get()
    refused, succeeded = LoginEvent.objects.order_by("outcome")
    pair = make_pair(acme, nickname="Somebody with a nickname as long as there may be one, or so")
    conflict = hold(acme, *pair)
    merged = [builders.make_user(acme.pool, nickname=name) for name in ("Bob", "Bob again")]
    merge_by_hand(*merged, operator=builders.make_operator("ada", acme.pool), now=timezone.now())
    pages = [
        "",
        "applications/",
        f"applications/{acme.application.pk}/change/",
        "sources/",
        "sources/add/",
        "sources/add/?type=wechat_mini_program",
        f"sources/{acme.source.pk}/change/",
        f"sources/{acme.source.pk}/delete/",
        "users/",
        "users/add/",
        f"users/{user.pk}/change/",
        *(f"users/{one.pk}/change/" for one in merged),
        f"users/{pair[0].pk}/merge/",
        f"users/{pair[0].pk}/merge/{pair[1].pk}/",
        "review/",
        f"review/{conflict.pk}/change/",
        "events/",
        f"events/{refused.pk}/change/",
        f"events/{succeeded.pk}/change/",
        f"pools/{acme.pool.pk}/change/",
        "keys/",
        "operators/",
    ]
    return [f"/console/acme/{page}" for page in pages]


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_no_page_of_the_console_scrolls_sideways(
    browse: Windows, superuser_client: GuardedClient, console_pages: list[str], locale: str
) -> None:
    page = browse(superuser_client, locale=locale)

    problems = []
    for path in console_pages:
        page.goto(path)
        for _tab in tabs(page):
            problems += at_every_width(page)

    assert problems == []


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_no_other_page_scrolls_sideways(
    browse: Windows, admin_client: GuardedClient, acme: Tenant, locale: str
) -> None:
    stranger, ada = browse(locale=locale), browse(admin_client, locale=locale)
    problems = []

    for path in ("/", "/console/login/"):
        stranger.goto(path)
        problems += at_every_width(stranger)
    for person in ("alice", "mallory"):
        ada.goto("/experience/acme-shop")
        problems += at_every_width(ada)
        ada.locator(f"button[value={person}]").click()
        ada.locator(".trace").wait_for()
        ada.locator("summary").first.click()
        problems += at_every_width(ada)

    assert problems == []


def tabs(page: Page) -> Iterator[None]:
    """Open one tab of the page after the other; a page without tabs is as good as one."""
    links = page.locator("#tabs-items a")
    if not links.count():
        yield
    for number in range(links.count()):
        # On a phone's width the last ones are in a menu, and come out of it only one by one.
        page.set_viewport_size({"width": WIDTHS[-1], "height": HEIGHT})
        page.reload()
        links.nth(number).click()
        yield

"""The pictures of the documentation, made anew by ``make screenshots``.

Every run makes them, so that they can be made; only with ``SCREENSHOTS`` are they put there.
"""

import os
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.windows import HEIGHT, WIDTHS, Windows
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant

# What a picture shows is no matter of the database.
pytestmark = pytest.mark.once

SIZE = (WIDTHS[-1], HEIGHT)
SMALLEST_BYTES, LARGEST_BYTES = 10_000, 200_000
PNG = b"\x89PNG\r\n\x1a\n"
# Minutes ago, who, with what.
LOGINS = (
    (1650, "mallory", "acme-shop"),
    (302, "bob", "acme-shop"),
    (171, "carol", "acme-shop"),
    (96, "dave", "acme-club"),
    (58, "mallory", "acme-shop"),
    (43, "bob", "acme-club"),
    (21, "erin", "acme-shop"),
    (4, "carol", "acme-club"),
)
NAMES = {"en-US": ("Acme shop", "Acme mini program"), "zh-CN": ("Acme 商城", "Acme 小程序")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(os.environ.get("SCREENSHOTS") or tmp_path)


@pytest.fixture
def shop(acme: Tenant, locale: str) -> Tenant:
    """Acme as its operators would name it in their language."""
    acme.application.name, acme.source.display_name = NAMES[locale]
    acme.application.save(update_fields=["name"])
    acme.source.save(update_fields=["display_name"])
    return acme


@pytest.fixture
def logins(shop: Tenant, log_in: Callable[..., HttpResponse]) -> None:
    """People who logged in over the last hours, or tried to, at two applications."""
    club = builders.make_application(shop.pool, client_id="acme-club", name="Acme club")
    builders.offer(club, shop.source)
    for minutes, person, client_id in LOGINS:
        with time_machine.travel(timezone.now() - timedelta(minutes=minutes)):
            log_in(person, client_id=client_id)


def take(page: Page, path: Path) -> None:
    page.evaluate("() => document.fonts.ready.then(() => document.activeElement.blur())")
    picture = page.screenshot(path=path, animations="disabled")

    assert picture.startswith(PNG)
    assert struct.unpack(">II", picture[16:24]) == SIZE
    assert SMALLEST_BYTES < len(picture) < LARGEST_BYTES


@pytest.mark.parametrize("locale", ["en-US"])
def test_the_console(
    browse: Windows, admin_client: GuardedClient, logins: None, folder: Path, locale: str
) -> None:
    page = browse(admin_client, locale=locale)
    page.goto("/console/acme/")
    expect(page.get_by_text("Latest logins")).to_be_visible()

    take(page, folder / "console.png")


@pytest.mark.parametrize(
    ("locale", "name"), [("en-US", "experience.png"), ("zh-CN", "experience.zh.png")]
)
def test_the_experience_login(
    browse: Windows, admin_client: GuardedClient, shop: Tenant, folder: Path, locale: str, name: str
) -> None:
    page = browse(admin_client, locale=locale)
    # Bob goes first: whoever does waits for the pool's keys to be read.
    for person in ("bob", "alice"):
        page.goto("/experience/acme-shop")
        page.locator(f"button[value={person}]").click()
        expect(page.locator(".trace > li.done")).to_have_count(6)

    take(page, folder / name)

"""What an administrator does to a user, a source and an application, by its buttons."""

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse
from playwright.sync_api import expect

from accounts.models import User
from tests.browser.windows import Windows
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant


@pytest.fixture
def alices_page(acme: Tenant, log_in: Callable[..., HttpResponse]) -> str:
    sub = log_in("alice").json()["user"]["sub"]
    return f"/console/acme/users/{User.objects.get(sub=sub).pk}/change/"


def test_a_user_is_suspended_and_let_in_again(
    browse: Windows, admin_client: GuardedClient, alices_page: str
) -> None:
    page = browse(admin_client)
    page.goto(alices_page)
    page.locator("summary", has_text="Suspend").click()
    expect(page.get_by_text("1 running session ends now.").first).to_be_visible()

    page.get_by_role("button", name="Suspend", exact=True).click()
    expect(page.get_by_text("This user is suspended and can't log in.")).to_be_visible()

    page.get_by_role("button", name="Lift the suspension").click()
    expect(page.get_by_text("The person can log in again.")).to_be_visible()
    expect(page.locator("summary", has_text="Suspend")).to_be_visible()


def test_a_source_is_archived_by_its_name_and_restored(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client)
    page.goto(f"/console/acme/sources/{acme.source.pk}/change/")
    page.get_by_role("link", name="Archive “Mini program”").click()
    page.get_by_role("button", name="Archive").click()
    expect(page).to_have_url(re.compile("/console/acme/sources/$"))
    expect(page.get_by_text("The source is archived")).to_be_visible()
    expect(page.get_by_role("link", name="Mini program", exact=True)).to_have_count(0)

    page.goto("/console/acme/sources/?state=archived")
    page.get_by_role("link", name="Mini program", exact=True).click()
    page.get_by_role("button", name="Restore").click()

    expect(page.get_by_text("The source is in use again.")).to_be_visible()
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()


def test_a_new_web_application_shows_its_secret_once(
    browse: Windows, admin_client: GuardedClient, acme: Tenant
) -> None:
    page = browse(admin_client, permissions=["clipboard-read", "clipboard-write"])
    page.goto("/console/acme/applications/add/")
    page.get_by_label("Type").select_option(label="Web application")
    page.get_by_label("Name").fill("Acme web")
    page.get_by_label("Client ID").fill("acme-web")
    page.get_by_role("button", name="Save", exact=True).click()

    secret = page.locator("#client-secret").inner_text()
    assert len(secret) >= 32
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == secret

    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text("The application has a client secret.")).to_be_visible()
    assert secret not in page.content()


def test_an_empty_list_says_what_to_do(
    browse: Windows, superuser_client: GuardedClient, empty_pool: str
) -> None:
    page = browse(superuser_client)
    for path, button in (("applications/", "Add application"), ("sources/", "Add identity source")):
        page.goto(f"{empty_pool}{path}")
        expect(page.get_by_role("link", name=button).filter(has_text=button)).to_be_visible()


@pytest.fixture
def empty_pool(db: None) -> str:
    return f"/console/{builders.make_pool('empty').identifier}/"

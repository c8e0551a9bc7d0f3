"""Journey 4: one person, two users. From the overview to one user, and back to two."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from playwright.sync_api import expect

from accounts.models import User
from identity_sources.sandbox import unionid_of
from tests.browser.windows import Windows
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.tenants import Tenant

# Pages are the same whatever the database; the first login and the console run on both.
pytestmark = pytest.mark.once


@pytest.fixture
def two_users(acme: Tenant, log_in: Callable[..., HttpResponse]) -> tuple[User, User]:
    """Somebody known by the OpenID alone, and another with the UnionID that then came with it.

    The pool merges nobody by itself.
    """
    acme.pool.merge = "review"
    acme.pool.save()
    older = User.objects.get(sub=log_in("alice").json()["user"]["sub"])
    older.linked_accounts.filter(kind="unionid").delete()
    younger = builders.make_user(acme.pool, nickname="Alice from elsewhere")
    builders.link_unionid(younger, unionid_of(builders.MINI_APP_ID, "alice"))
    assert log_in("alice").json()["user"]["sub"] == older.sub
    User.objects.filter(pk=older.pk).update(nickname="Alice")
    return older, younger


@pytest.fixture
def merging_by_itself(acme: Tenant, two_users: tuple[User, User]) -> User:
    """The one who is merged with the next login, now that the pool merges by itself."""
    acme.pool.merge = "automatic"
    acme.pool.save()
    return two_users[1]


@pytest.fixture
def asking(acme: Tenant) -> None:
    """Acme's source asks whoever is new."""
    acme.source.association = "ask"
    acme.source.save()


def test_a_conflict_is_merged_and_the_merge_undone(
    browse: Windows, admin_client: GuardedClient, two_users: tuple[User, User]
) -> None:
    _older, younger = two_users
    page = browse(admin_client)
    page.goto("/console/acme/")
    page.get_by_role("link", name="Alice from elsewhere").click()

    expect(page.get_by_role("heading", name="Are these two one person?")).to_be_visible()
    expect(page.get_by_text("Alice stays: the older of the two")).to_be_visible()
    page.get_by_text("Merge…").click()
    page.get_by_role("button", name="Merge", exact=True).click()

    expect(page.get_by_role("heading", name="Merges")).to_be_visible()
    expect(page.get_by_text("Alice from elsewhere was merged into this user")).to_be_visible()

    page.goto("/console/acme/")
    expect(page.get_by_text("To be decided")).to_have_count(0)
    page.goto(f"/console/acme/users/?q={younger.sub}")
    page.get_by_role("link", name="Alice from elsewhere").click()
    expect(page.get_by_role("heading", name="Merged into Alice")).to_be_visible()
    page.get_by_text("Undo…").click()
    page.get_by_role("button", name="Undo the merge").click()

    expect(page.get_by_text("Undone: they are two users again")).to_be_visible()
    expect(page.get_by_role("heading", name="Merged into Alice")).to_have_count(0)


def test_a_login_merges_by_itself_and_the_trace_says_so(
    browse: Windows, admin_client: GuardedClient, merging_by_itself: User
) -> None:
    page = browse(admin_client)
    page.goto("/experience/acme-shop")
    page.get_by_role("button", name="Alice Chen").click()

    expect(page.locator(".trace")).to_contain_text(merging_by_itself.sub)
    expect(page.locator(".trace")).to_contain_text("merged into this user")


def test_whoever_is_asked_reads_a_question_and_not_a_failure(
    browse: Windows, admin_client: GuardedClient, asking: None
) -> None:
    page = browse(admin_client)
    page.goto("/experience/acme-shop")
    page.get_by_role("button", name="Alice Chen").click()

    expect(page.get_by_text("Have you been here before?")).to_be_visible()
    expect(page.locator(".trace")).to_contain_text("One more step")

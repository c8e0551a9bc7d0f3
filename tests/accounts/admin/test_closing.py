"""Closing an account from its page, and opening it again until it is erased."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts.models import AccountEvent, Session, User
from accounts.users.closing import close, erase_due
from tests.support.pages import Page, see
from tests.support.people import make_person, make_session

LIST = "/console/acme/users/"


def page_of(user):
    return f"{LIST}{user.pk}/change/"


def press(client, user, action, pool="acme"):
    return client.post(f"/console/{pool}/users/{user.pk}/{action}/")


def offered(client, user):
    """Which actions the page offers."""
    prefix = f"{LIST}{user.pk}/"
    forms = see(client, page_of(user)).forms
    return {form.action.removeprefix(prefix) for form in forms if form.action.startswith(prefix)}


@pytest.fixture
def alice(acme):
    return make_person(acme, 1, nickname="Alice")


@pytest.mark.parametrize("action", ["close", "reopen"])
def test_only_an_administrator_of_the_pool_may(
    alice, action, client, viewer_client, stranger_client, superuser_client
):
    if action == "reopen":
        close(alice, now=timezone.now())
    before = User.objects.get().status

    assert press(client, alice, action)["Location"].startswith("/console/acme/login/")
    assert press(viewer_client, alice, action).status_code == 403
    assert press(stranger_client, alice, action).status_code == 404
    assert press(superuser_client, alice, action, "globex").status_code == 404
    assert superuser_client.get(f"{LIST}{alice.pk}/{action}/").status_code == 405

    assert User.objects.get().status == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        ("active", {"suspend/", "close/"}),
        ("suspended", {"lift-suspension/", "close/"}),
        ("closed", {"reopen/"}),
    ],
)
def test_each_status_offers_what_can_be_done(alice, admin_client, viewer_client, status, actions):
    closed_at = timezone.now() if status == "closed" else None
    User.objects.update(status=status, closed_at=closed_at)

    assert offered(admin_client, alice) == actions
    assert offered(viewer_client, alice) == set()


def test_closing_says_what_it_does_and_does_it(acme, alice, admin_client, settings):
    settings.CLOSED_ACCOUNT_GRACE_DAYS = 12
    make_session(acme, alice)
    text = see(admin_client, page_of(alice)).text
    assert "Close the account of Alice…" in text
    assert "1 running session ends now." in text
    assert "After 12 days name, contact details and WeChat accounts are erased" in text

    page = Page(admin_client.get(press(admin_client, alice, "close")["Location"]))

    assert "The account is closed; every session has ended." in page.text
    assert "Until then it can be reopened." in page.text
    assert User.objects.get().status == User.Status.CLOSED
    assert Session.objects.get().end_reason == Session.EndReason.ACCOUNT_CLOSED
    assert AccountEvent.objects.get().operator.username == "ada"
    assert LogEntry.objects.count() == 1


def test_reopening_takes_it_back(alice, admin_client):
    press(admin_client, alice, "close")

    page = Page(admin_client.get(press(admin_client, alice, "reopen")["Location"]))

    assert "The account is open again" in page.text
    assert User.objects.get().status == User.Status.ACTIVE


def test_an_erased_account_says_so_and_offers_nothing(alice, admin_client):
    close(alice, now=timezone.now() - timedelta(days=99))
    erase_due(now=timezone.now())

    text = see(admin_client, page_of(alice)).text

    assert "Its personal data was erased, so it can't be reopened." in text
    assert offered(admin_client, alice) == set()
    press(admin_client, alice, "reopen")
    assert User.objects.get().status == User.Status.CLOSED


@pytest.mark.parametrize("action", ["close", "reopen"])
def test_whoever_comes_second_is_told_so(alice, admin_client, action):
    for _ in range(2):
        answer = press(admin_client, alice, "close")
    for _ in range(2 if action == "reopen" else 0):
        answer = press(admin_client, alice, "reopen")

    text = Page(admin_client.get(answer["Location"])).text

    assert "Nothing to do: somebody else was faster." in text


def test_the_history_tells_what_by_whom_and_when(alice, admin_client):
    press(admin_client, alice, "close")
    press(admin_client, alice, "reopen")

    text = see(admin_client, page_of(alice)).text

    assert "Account closed" in text
    assert "Account reopened" in text
    assert "ada" in text

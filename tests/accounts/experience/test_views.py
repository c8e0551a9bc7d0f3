"""The page itself: its headers, what it shows before anybody logs in, and what it never runs."""

import pytest

from accounts.models import LoginEvent
from applications.models import Application
from identity_sources.models import IdentitySource
from tests.accounts.experience.mini_program_page import PAGE, press
from tests.support import builders
from tests.support.client import GuardedClient, signed_in
from tests.support.pages import Page, see

SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(acme, client, admin_client, method):
    for someone in (client, admin_client):
        assert getattr(someone, method)(PAGE).status_code == 405


def test_a_post_without_a_token_of_the_page_is_refused(acme, shared_page):
    operator = builders.make_operator("ada", acme.pool)
    careful = GuardedClient(enforce_csrf_checks=True)
    assert press(careful, page=shared_page).status_code == 403
    careful.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")

    assert press(careful).status_code == 403
    assert LoginEvent.objects.count() == 0


def test_a_post_with_the_pages_token_is_accepted(acme):
    careful = GuardedClient(enforce_csrf_checks=True)
    careful.force_login(
        builders.make_operator("ada", acme.pool),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    form = see(careful, PAGE).forms[-1]

    assert careful.post(PAGE, form.fields | {"person": "alice"}).context["attempt"].succeeded


@pytest.mark.parametrize("page", ["shown", "pressed", "shared"])
def test_the_page_is_stored_nowhere_framed_nowhere_and_runs_nothing_foreign(
    admin_client, client, shared_page, page
):
    response = {
        "shown": lambda: admin_client.get(PAGE),
        "pressed": lambda: press(admin_client),
        "shared": lambda: press(client, page=shared_page),
    }[page]()

    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in response.content.decode()
    assert "onclick" not in response.content.decode()


def test_a_head_logs_nobody_in(admin_client):
    response = admin_client.head(f"{PAGE}?identity_source=acme-mini&person=alice")

    assert (response.status_code, response.content) == (200, b"")
    assert LoginEvent.objects.count() == 0


def test_a_get_logs_nobody_in(admin_client):
    admin_client.get(f"{PAGE}?identity_source=acme-mini&person=alice")

    assert LoginEvent.objects.count() == 0


def test_the_page_shows_who_can_hold_the_phone(admin_client):
    page = see(admin_client, PAGE)

    assert "Log in to Shop as an end user would" in page.text
    for told in ("Alice Chen", "blocked by WeChat's risk control", "has no phone number"):
        assert told in page.text


def test_an_application_that_offers_nothing_says_where_that_is_changed(acme, admin_client):
    acme.method.delete()

    page = see(admin_client, PAGE)

    assert "this application offers no identity source" in page.text
    assert f"/console/acme/applications/{acme.application.pk}/change/#login_methods" in page.links


def test_each_source_that_is_offered_has_a_form(admin_client, live_source):
    page = see(admin_client, PAGE)

    named = [form.fields.get("identity_source") for form in page.forms]
    assert [name for name in named if name] == ["acme-mini", "acme-live"]


def test_the_client_secret_is_asked_for_only_where_it_is_needed(acme, admin_client):
    safe = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(safe, acme.source)

    assert "client_secret" in see(admin_client, "/experience/acme-safe").names
    assert "client_secret" not in see(admin_client, PAGE).names


def test_hostile_names_and_fields_are_text(acme, admin_client):
    type(acme.pool).objects.update(name=f"Pool {SCRIPT}")
    Application.objects.update(name=f"Shop {SCRIPT}")
    IdentitySource.objects.update(display_name=f"Source {SCRIPT}")

    shown = [
        admin_client.get(PAGE),
        press(admin_client),
        press(admin_client, SCRIPT),
        press(admin_client, identity_source=SCRIPT),
    ]

    for response in shown:
        assert response.status_code == 200
        assert SCRIPT not in response.content.decode()
    assert f"is now a user of Pool {SCRIPT}" in Page(shown[1]).text


def test_two_administrators_do_not_see_each_others_attempts(acme, admin_client):
    press(admin_client)
    other = signed_in(builders.make_operator("ben", acme.pool))

    assert "attempt" not in other.get(PAGE).context
    assert "attempt" not in admin_client.get(PAGE).context


@pytest.mark.parametrize(
    ("association", "question"),
    [
        ("ask", "Have you been here before?"),
        ("field", "May we have your phone number?"),
    ],
)
def test_a_first_login_that_goes_on_shows_what_the_application_asks_now(
    acme, admin_client, association, question
):
    IdentitySource.objects.update(association=association)

    response = press(admin_client)

    text = Page(response).text
    assert question in text
    assert "isn't logged in" not in text
    assert "Refused" not in text
    assert 'class="welcomed asked"' in response.content.decode()
    assert "One more step" in text


def test_a_refusal_is_still_one(acme, admin_client):
    response = press(admin_client, "mallory")

    assert "The person isn't logged in" in Page(response).text
    assert 'class="welcomed refused"' in response.content.decode()

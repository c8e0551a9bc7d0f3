"""A source's health in the console: in the list, on its page, and where it is named elsewhere."""

from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import LoginEvent
from identity_sources.gateway import sandbox
from identity_sources.health import note_punishment
from identity_sources.models import IdentitySource
from identity_sources.sandbox.faults import refusal
from tests.support import builders
from tests.support.pages import fill_in, see
from tests.support.wechat_calls import MINUTE, REFUSED, RID, SUCCESS, note

LIST = "/console/acme/sources/"
APP_SECRET = "5ec4e75ec4e75ec4e75ec4e75ec4e75e"


def page_of(source, page="change"):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/{page}/"


@pytest.fixture
def failing(source):
    """The source, of which WeChat has refused the AppSecret for two hours, a minute ago last."""
    now = timezone.now()
    note(source, REFUSED, now=now - 120 * MINUTE)
    note(source, REFUSED, now=now - MINUTE)
    return source


@pytest.fixture(params=["admin", "viewer"])
def anyone(request):
    """An operator of either role."""
    return request.getfixturevalue(f"{request.param}_client")


# The list


def test_the_list_says_beside_on_and_off_that_a_source_fails(failing, anyone):
    builders.make_source(failing.pool, identifier="other", app_id="wxsandbox000000009")

    response = anyone.get(LIST)

    text = response.content.decode()
    assert text.count("Failing") == 1
    page = see(anyone, LIST)
    assert "Sandbox, on Failing" in page.text


def test_the_list_says_it_of_a_source_that_is_off_as_well_but_not_of_an_archived_one(
    failing, admin_client
):
    IdentitySource.objects.update(enabled=False)
    assert "Off Failing" in see(admin_client, LIST).text

    IdentitySource.objects.update(archived_at=timezone.now())
    assert "Failing" not in see(admin_client, f"{LIST}?state=archived").text


def test_a_source_that_heals_is_no_longer_called_failing(failing, admin_client):
    note(failing, SUCCESS, now=timezone.now())

    assert "Failing" not in see(admin_client, LIST).text
    assert "✓ Working" in see(admin_client, page_of(failing)).text


# The page of a source


def test_a_source_that_works_says_so(source, anyone):
    text = see(anyone, page_of(source)).text

    assert "✓ Working WeChat refuses none of this source's settings." in text
    assert "Failing" not in text


def test_a_failing_source_says_since_when_why_and_what_to_do(failing, anyone):
    response = anyone.get(page_of(failing))

    text = see(anyone, page_of(failing)).text
    assert "✕ Failing" in text
    assert "It began: 2 hours ago" in text
    assert "The AppSecret is wrong, or it was reset and this is the old one." in text
    assert "What to do: Enter the current AppSecret." in text
    assert f"jscode2session · errcode 40125 · invalid appsecret, rid: {RID} · rid {RID}" in text
    assert "Working" not in text
    since = failing.failures.get().since
    assert f'<time datetime="{since.isoformat()}" title="' in response.content.decode()


def test_every_failing_call_is_shown(failing, admin_client):
    note(failing, replace(REFUSED, call="stable_token", errcode=40164), now=timezone.now())

    text = see(admin_client, page_of(failing)).text

    assert "errcode 40125" in text
    assert "stable_token · errcode 40164" in text
    assert text.count("✕ doesn't work") == 2


@pytest.mark.parametrize(("event_type", "sign"), [(1, "! notice"), (4, "✕ doesn't work")])
def test_what_wechat_did_to_the_app_is_shown_in_its_own_words(source, anyone, event_type, sign):
    facts = {"banned_days": 7000, "reason": "<script>alert(1)</script>"}
    note_punishment(source, event_type=event_type, facts=facts, now=timezone.now())

    response = anyone.get(page_of(source))

    text = see(anyone, page_of(source)).text
    assert f"{sign} Notice from WeChat" in text
    said = f"event_type {event_type} · banned_days 7000 · reason <script>alert(1)</script>"
    assert f"wxa_punish_event · {said}" in text
    assert "<script>alert(" not in response.content.decode()
    assert ("✓ Working" in text) is (event_type == 1)


def test_wechats_words_are_text(source, admin_client):
    note(source, replace(REFUSED, errmsg="<script>alert(1)</script>", rid="<b>"))

    assert "<script>alert(" not in admin_client.get(page_of(source)).content.decode()
    assert "rid <b>" in see(admin_client, page_of(source)).text


def test_an_archived_source_has_no_health(failing, admin_client):
    IdentitySource.objects.update(archived_at=timezone.now())

    text = see(admin_client, page_of(failing)).text

    assert "Archived" in text
    assert "Failing" not in text
    assert "40125" not in text


def test_a_source_that_is_off_still_shows_what_wechat_refuses(failing, admin_client):
    IdentitySource.objects.update(enabled=False)

    text = see(admin_client, page_of(failing)).text

    assert "Switched off" in text
    assert "errcode 40125" in text


def test_testing_the_connection_heals_or_fails(source, admin_client):
    sandbox().script("stable_token", refusal(40164))
    admin_client.post(page_of(source, "test-connection"))
    assert "errcode 40164" in see(admin_client, page_of(source)).text

    admin_client.post(page_of(source, "test-connection"))
    assert "✓ Working" in see(admin_client, page_of(source)).text


def test_a_new_app_secret_alone_does_not_heal(failing, admin_client):
    assert fill_in(admin_client, page_of(failing), app_secret=APP_SECRET).status_code == 302

    assert "✕ Failing" in see(admin_client, page_of(failing)).text


def test_another_pool_never_sees_it(failing, globex, stranger_client):
    for address in (page_of(globex.source), "/console/globex/sources/", "/console/globex/"):
        text = see(stranger_client, address).text
        assert "Failing" not in text
        assert "40125" not in text

    assert stranger_client.get(page_of(failing)).status_code == 404


# Where a source is named besides


def test_a_login_event_says_that_its_source_fails(acme, anyone, log_in):
    sandbox().script("jscode2session", refusal(40125))
    log_in()
    event = LoginEvent.objects.get()
    address = f"/console/acme/events/{event.pk}/change/"

    assert "Mini program · ✕ Failing" in see(anyone, address).text

    log_in()
    assert "✕ Failing" not in see(anyone, address).text

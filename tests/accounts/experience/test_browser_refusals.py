"""What an experience login through a browser refuses before a rule of the login does."""

from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from django.utils import timezone

from accounts.experience.visitors import share
from accounts.models import LoginEvent, Session
from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from tests.accounts.experience.browsing import (
    PAGE,
    assert_nothing_happened,
    come_back,
    refused,
    set_out,
    starts,
)
from tests.support import builders
from tests.support.client import signed_in
from tests.support.login_steps import confirmed
from tests.support.pages import Page, see
from tests.support.records import events
from tests.support.website import SITE_APP_ID

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def ben(acme):
    """The browser of a second administrator."""
    return signed_in(builders.make_operator("ben", acme.pool))


# Who wasn't sent


def assert_astray(response, wechat):
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "This login was begun elsewhere" in response.content.decode()
    assert_nothing_happened(wechat)


@pytest.mark.parametrize("state", [None, "", "0" * 64, "a\x00b", "状态", "a" * 5000])
def test_a_state_that_is_missing_or_made_up_logs_nobody_in(admin_client, wechat, state):
    at_wechat = set_out(admin_client)

    assert_astray(come_back(admin_client, at_wechat, state=state), wechat)


def test_a_state_of_another_operators_session_logs_nobody_in(admin_client, ben, wechat):
    assert_astray(come_back(ben, set_out(admin_client)), wechat)


def test_a_state_ends_with_the_operators_session(acme, admin_client, wechat):
    at_wechat = set_out(admin_client)
    again = signed_in(acme.pool.memberships.get().operator)

    assert_astray(come_back(again, at_wechat), wechat)


def test_a_state_of_another_application_logs_nobody_in(admin_client, wechat):
    theirs = set_out(admin_client, "/experience/acme-spa")
    ours = set_out(admin_client)

    assert_astray(come_back(admin_client, ours, state=theirs.state), wechat)


def test_an_operators_state_is_of_no_use_to_a_guest_nor_the_other_way_round(
    admin_client, client, shared_site, wechat
):
    operators, guests = set_out(admin_client), set_out(client, shared_site)

    assert_astray(come_back(client, guests, state=operators.state), wechat)
    assert_astray(come_back(admin_client, operators, state=guests.state), wechat)


def test_a_state_of_another_link_is_of_no_use(site, client, shared_site, wechat):
    earlier = set_out(client, shared_site)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        later = set_out(client, f"{PAGE}?share={share(site.web)}")

        assert earlier.state != later.state
        assert_astray(come_back(client, later, state=earlier.state), wechat)


def test_a_state_is_of_one_method_and_its_code_of_one_source(admin_client, second):
    """So that no source gets the code of another (RFC 9700 §4.4)."""
    first, other = set_out(admin_client), set_out(admin_client, number=1)
    assert first.state != other.state

    response = come_back(admin_client, other, code=confirmed())

    assert refused(response) == "invalid_code"
    assert LoginEvent.objects.get().identity_source == second.identity_source


# Who brings no good code


@pytest.mark.parametrize("code", [None, "", "not a code!", "a" * 257, "%00"])
def test_who_refused_in_wechat_is_told_so(admin_client, wechat, code):
    response = come_back(admin_client, set_out(admin_client), code=code)

    text = Page(response).text
    assert "You didn't confirm in WeChat." in text
    assert "Log in with WeChat" in text
    assert_nothing_happened(wechat)


def test_a_code_that_wechat_doesnt_know_is_refused(admin_client):
    response = come_back(admin_client, set_out(admin_client), code="made-up")

    assert refused(response) == "invalid_code"
    assert "Please try again." in Page(response).text


def test_a_code_of_a_mini_program_is_refused(admin_client):
    code = builders.wx_login(app_id=SITE_APP_ID)

    assert refused(come_back(admin_client, set_out(admin_client), code=code)) == "invalid_code"


def test_a_code_is_taken_once(admin_client):
    at_wechat, code = set_out(admin_client), confirmed()
    come_back(admin_client, at_wechat, code=code)

    assert refused(come_back(admin_client, at_wechat, code=code)) == "code_already_used"
    assert [event["error"] for event in events()] == ["", "code_already_used"]
    assert Session.objects.count() == 1


# What is switched off


def switch_application_off(method):
    Application.objects.filter(pk=method.application_id).update(enabled=False)


def switch_source_off(method):
    IdentitySource.objects.filter(pk=method.identity_source_id).update(enabled=False)


def archive_source(method):
    IdentitySource.objects.filter(pk=method.identity_source_id).update(archived_at=timezone.now())


def switch_method_off(method):
    LoginMethod.objects.filter(pk=method.pk).update(enabled=False)


OFF = [
    (switch_application_off, "application_disabled"),
    (switch_source_off, "identity_source_disabled"),
    (archive_source, "login_method_disabled"),
    (switch_method_off, "login_method_disabled"),
]


@pytest.mark.parametrize(("switch_off", "error"), OFF)
def test_what_is_off_is_told_before_wechat_is_asked(
    admin_client, method, wechat, switch_off, error
):
    switch_off(method)

    response = admin_client.get(f"{PAGE}/wechat/{method.pk}")

    assert refused(response) == error
    assert "Stopped here" in Page(response).text
    (recorded,) = events()
    assert (recorded["door"], recorded["error"]) == ("experience", error)
    assert wechat.calls == []


@pytest.mark.parametrize(("switch_off", "error"), OFF)
def test_what_was_switched_off_meanwhile_is_told(admin_client, method, wechat, switch_off, error):
    at_wechat = set_out(admin_client)
    switch_off(method)

    response = come_back(admin_client, at_wechat)

    assert refused(response) == error
    assert events()[0]["door"] == "experience"
    assert wechat.calls == []


def test_a_sandbox_source_is_off_where_there_is_no_sandbox(admin_client, method, settings):
    settings.WECHAT_SANDBOX = False

    response = admin_client.get(f"{PAGE}/wechat/{method.pk}")

    assert refused(response) == "identity_source_disabled"


@pytest.mark.parametrize("switch_off", [switch_method_off, archive_source])
def test_what_the_application_no_longer_offers_has_no_button(admin_client, method, switch_off):
    switch_off(method)

    page = see(admin_client, PAGE)

    assert starts(admin_client) == []
    assert "offers no way to log in from a browser" in page.text
    assert any(link.endswith("#login_methods") for link in page.links)


def test_a_method_that_slipped_past_every_form_is_refused(acme, site, admin_client, wechat):
    odd = builders.offer(site.web, acme.source, way="website_qr", position=1)

    response = admin_client.get(f"{PAGE}/wechat/{odd.pk}")

    assert refused(response) == "login_method_disabled"
    assert wechat.calls == []

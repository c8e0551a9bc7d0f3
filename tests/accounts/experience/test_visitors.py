"""Who may open an experience page, and what a guest with a shared link is kept from."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core import signing
from django.utils import timezone

from accounts.experience.visitors import LINK_LIVES, share
from accounts.models import LoginEvent, Session, User
from identity_sources.models import IdentitySource
from tests.accounts.experience.mini_program_page import PAGE, paste, press
from tests.support import builders
from tests.support.client import signed_in
from tests.support.pages import Page
from userpools.models import Membership, Operator

ODD_NAMES = [
    *("%00", "acme-shop%00", "%ff%fe", "%F0%9F%8C%B8", "a" * 5000, "%2e%2e", "a%20b", "%0a"),
    "'%20OR%201=1--",
]


def sign_in_for(address):
    return f"/console/login/?{urlencode({'next': address}, safe='/')}"


# Nobody is signed in


@pytest.mark.parametrize("client_id", ["acme-shop", "no-such-application", *ODD_NAMES])
def test_a_stranger_signs_in_first_and_learns_of_no_application(acme, client, client_id):
    response = client.get(f"/experience/{client_id}")

    assert response.status_code == 302
    assert response["Location"].startswith("/console/login/?next=/experience/")


def test_a_stranger_who_posts_signs_in_first(acme, client):
    response = press(client)

    assert response["Location"] == sign_in_for(PAGE)
    assert LoginEvent.objects.count() == 0


def test_signing_in_leads_back(acme, client):
    builders.make_operator("ada", acme.pool)

    response = client.post(
        client.get(PAGE)["Location"],
        {"username": "ada", "password": builders.OPERATOR_PASSWORD},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_an_operator_who_was_made_inactive_is_a_stranger(acme, admin_client):
    Operator.objects.update(is_active=False)

    assert admin_client.get(PAGE)["Location"] == sign_in_for(PAGE)
    assert press(admin_client)["Location"] == sign_in_for(PAGE)


def test_a_superuser_who_was_made_inactive_is_a_stranger(acme, superuser_client):
    Operator.objects.update(is_active=False)

    assert superuser_client.get(PAGE)["Location"] == sign_in_for(PAGE)


# Signed in, and not allowed to


def test_a_viewer_may_not(viewer_client):
    assert viewer_client.get(PAGE).status_code == 403
    assert press(viewer_client).status_code == 403
    assert LoginEvent.objects.count() == 0


def test_an_operator_of_another_pool_finds_nothing(stranger_client):
    theirs = stranger_client.get("/experience/no-such-application")
    ours = stranger_client.get(PAGE)

    assert (theirs.status_code, ours.status_code) == (404, 404)
    assert "acme" not in ours.content.decode().replace(PAGE, "")
    assert press(stranger_client).status_code == 404
    assert LoginEvent.objects.count() == 0


def test_an_operator_whose_role_was_taken_away_finds_nothing(admin_client):
    Membership.objects.all().delete()

    assert admin_client.get(PAGE).status_code == 404


def test_an_administrator_who_became_a_viewer_may_not(admin_client):
    Membership.objects.update(role=Membership.Role.VIEWER)

    assert admin_client.get(PAGE).status_code == 403


@pytest.mark.parametrize("client_id", ["no-such-application", "ACME-SHOP", *ODD_NAMES])
@pytest.mark.parametrize("word", ["", "?share=x", "?share=%00:%ff:1", "?share"])
def test_an_unknown_application_is_not_found(admin_client, client_id, word):
    assert admin_client.get(f"/experience/{client_id}{word}").status_code == 404


# Allowed to


def test_an_administrator_and_a_superuser_may(admin_client, superuser_client):
    for client in (admin_client, superuser_client):
        assert client.get(PAGE).status_code == 200
        assert press(client).context["attempt"].succeeded


# A shared link that is no good


@pytest.mark.parametrize("word", ["", "nonsense", "%00", "a:b:c", "%ff:1:2"])
def test_a_link_that_was_made_up_leads_nowhere(acme, client, shared, word):
    assert client.get(shared(word)).status_code == 404


@pytest.mark.parametrize(
    "spoil",
    [
        lambda word: word[:-1] + ("A" if word[-1] != "A" else "B"),
        lambda word: word + "A",
        lambda word: "A" + word,
        lambda word: word.swapcase(),
    ],
)
def test_a_link_that_was_tampered_with_leads_nowhere(acme, client, shared, spoil):
    address = shared(spoil(share(acme.application)))

    assert client.get(address).status_code == 404
    assert press(client, page=address).status_code == 404
    assert LoginEvent.objects.count() == 0


def test_a_link_that_was_signed_for_something_else_leads_nowhere(acme, client, shared):
    pk = str(acme.application.pk)

    for word in (signing.dumps(pk), signing.dumps(pk, salt="django.core.signing")):
        assert client.get(shared(word)).status_code == 404


def test_a_link_to_another_application_leads_nowhere(acme, globex, client, shared):
    sibling = builders.make_application(acme.pool, client_id="acme-sibling")
    builders.offer(sibling, acme.source)

    for other in (globex.application, sibling):
        assert client.get(shared(share(other))).status_code == 404


def test_a_link_to_an_application_that_there_isnt_leads_nowhere(acme, client):
    word = share(acme.application)

    assert client.get(f"/experience/no-such-application?share={word}").status_code == 404


def test_a_link_ends_after_a_day(acme, client, shared_page):
    now = timezone.now()

    with time_machine.travel(now + LINK_LIVES - timedelta(minutes=1)):
        assert client.get(shared_page).status_code == 200
    with time_machine.travel(now + LINK_LIVES + timedelta(seconds=2)):
        assert client.get(shared_page).status_code == 404
        assert press(client, page=shared_page).status_code == 404
    assert timedelta(hours=24) == LINK_LIVES


def test_a_link_is_of_no_use_where_there_is_no_sandbox(acme, client, shared_page, settings):
    settings.WECHAT_SANDBOX = False

    assert client.get(shared_page).status_code == 404
    assert press(client, page=shared_page).status_code == 404


def offer_live_alone(acme):
    acme.method.delete()
    live = builders.make_source(
        acme.pool, identifier="acme-live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    builders.offer(acme.application, live)


def switch_method_off(acme):
    acme.method.enabled = False
    acme.method.save()


def archive_source(acme):
    acme.source.archived_at = timezone.now()
    acme.source.save()


@pytest.mark.parametrize("change", [offer_live_alone, switch_method_off, archive_source])
def test_a_link_leads_nowhere_where_no_sandbox_is_offered(acme, client, shared_page, change):
    change(acme)

    assert client.get(shared_page).status_code == 404
    assert press(client, page=shared_page).status_code == 404
    assert paste(client, "a-real-code", page=shared_page).status_code == 404
    assert LoginEvent.objects.count() == 0


# What a guest may


def test_a_guest_experiences_the_sandbox_without_signing_in(client, shared_page):
    assert "Alice Chen" in Page(client.get(shared_page)).text

    response = press(client, page=shared_page)

    assert "Alice Chen is now a user of Acme" in Page(response).text
    assert LoginEvent.objects.get().door == LoginEvent.Door.EXPERIENCE
    assert User.objects.count() == 1
    assert Session.objects.get().end_reason == Session.EndReason.EXPERIENCE_ENDED


def test_a_guest_sees_steps_and_refusals_but_nothing_of_the_tokens(client, shared_page):
    """The steps hold what an administrator sees, of made-up people; tokens aren't for guests."""
    text = Page(press(client, page=shared_page)).text

    event = LoginEvent.objects.get()
    claims = event.steps[-1]["access_token"]
    for told in ("Request received", "WeChat asked: jscode2session", "User created"):
        assert told in text
    for hidden in ("Tokens issued", "access token", claims["jti"], claims["sid"], "ES256"):
        assert hidden not in text
    assert event.steps[-1]["kid"] not in text


def test_a_guest_is_told_of_a_refusal(client, shared_page):
    text = Page(press(client, "mallory", page=shared_page)).text

    assert "WeChat's risk control doesn't let this person log in." in text


def test_a_guest_is_led_nowhere_into_the_console_and_shares_nothing_on(client, shared_page):
    for response in (client.get(shared_page), press(client, page=shared_page)):
        assert "/console" not in response.content.decode()
        assert response.context["share_link"] == ""


def test_a_guest_cannot_use_a_live_source(client, live_source, live, shared_page):
    assert live_source.display_name == "Mini program"
    IdentitySource.objects.filter(pk=live_source.pk).update(display_name="The real one")
    assert "The real one" not in Page(client.get(shared_page)).text

    response = paste(client, "a-real-code", page=shared_page)
    both = press(client, "alice", page=shared_page, identity_source="acme-live", code="a-real-code")

    assert "attempt" not in response.context
    assert "attempt" not in both.context
    assert LoginEvent.objects.count() == 0
    assert len(live.calls) == 0


@pytest.mark.parametrize("role", ["viewer", "admin of another pool", "nobody's"])
def test_other_operators_with_a_link_are_guests(acme, globex, shared_page, role):
    pools = {"viewer": acme.pool, "admin of another pool": globex.pool, "nobody's": None}
    guest = signed_in(
        builders.make_operator("gus", pools[role], role="viewer" if role == "viewer" else "admin")
    )

    response = press(guest, page=shared_page)

    assert response.context["attempt"].succeeded
    assert response.context["visitor"].is_guest
    assert "Tokens issued" not in Page(response).text
    assert "/console" not in response.content.decode()


def test_an_administrator_with_a_link_stays_one(admin_client, shared_page):
    response = press(admin_client, page=shared_page)

    assert not response.context["visitor"].is_guest
    assert "Tokens issued" in Page(response).text


def test_an_administrator_with_a_bad_link_stays_one(admin_client, shared):
    assert admin_client.get(shared("nonsense")).status_code == 200


# The link that is offered


def test_the_link_that_an_administrator_is_offered_works(admin_client, client):
    link = admin_client.get(PAGE).context["share_link"]

    assert link.startswith(f"{django_settings.PUBLIC_URL}{PAGE}?share=")
    assert client.get(link.removeprefix(django_settings.PUBLIC_URL)).status_code == 200


@pytest.mark.parametrize("change", [offer_live_alone, switch_method_off, archive_source])
def test_no_link_is_offered_that_would_lead_nowhere(acme, admin_client, change):
    change(acme)

    assert admin_client.get(PAGE).context["share_link"] == ""


def test_no_link_is_offered_where_there_is_no_sandbox(admin_client, settings):
    settings.WECHAT_SANDBOX = False

    assert admin_client.get(PAGE).context["share_link"] == ""

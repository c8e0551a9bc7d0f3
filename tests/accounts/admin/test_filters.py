"""What the lists are filtered by: only what is the pool's own, and nothing that can be guessed."""

from datetime import timedelta

import pytest

from tests.support import builders
from tests.support.pages import see
from tests.support.people import make_event, make_person

EVENTS, USERS = "/console/acme/events/", "/console/acme/users/"


def found(response):
    assert response.status_code == 200
    return {event.request_id for event in response.context["cl"].result_list}


@pytest.fixture
def two_of_each(acme):
    """A second application and source, so that there is something to choose."""
    application = builders.make_application(acme.pool, client_id="acme-second", name="Second shop")
    source = builders.make_source(
        acme.pool,
        identifier="acme-second",
        app_id="wxsandbox0000000aa",
        display_name="Second mini program",
    )
    make_event(acme, request_id="first")
    make_event(acme, request_id="second", application=application, identity_source=source)
    return application, source


# Nothing that isn't offered


@pytest.mark.parametrize(
    "lookup",
    [
        "application__pool__memberships__operator__password__startswith",
        "application__client_secrets__secret_hash__startswith",
        "identity_source__app_secret_ciphertext__startswith",
        "application__login_events__user__phone_number__startswith",
        "user__phone_number__startswith",
        "steps__contains",
        "pool__exact",
        "pool__id__exact",
        "sid__exact",
        "outcome__startswith",
        "when__gte",
    ],
)
def test_a_list_is_filtered_by_nothing_that_it_does_not_offer(acme, viewer_client, lookup):
    make_event(acme)

    assert viewer_client.get(EVENTS, {lookup: "1"}).status_code == 400


@pytest.mark.parametrize(
    "lookup", ["phone_number__startswith", "linked_accounts__openid__startswith", "pool__exact"]
)
def test_people_are_filtered_by_their_status_alone(acme, viewer_client, lookup):
    assert viewer_client.get(USERS, {lookup: "1"}).status_code == 400


@pytest.mark.parametrize(
    "chosen",
    [
        {"when": "x"},
        {"when": ""},
        {"when": ["hour", "day"]},
        {"outcome__exact": "x"},
        {"outcome__exact": ""},
        {"outcome__isnull": "x"},
        {"door__exact": "x"},
        {"application__id__exact": "nonsense"},
        {"application__id__exact": ""},
        {"application__id__exact": "1"},
        {"identity_source__id__exact": "nonsense"},
        {"identity_source__isnull": "x"},
        {"e": "1"},
        {"o": "99.-99.x"},
    ],
)
def test_a_choice_that_makes_no_sense_is_no_error(two_of_each, admin_client, chosen):
    assert admin_client.get(EVENTS, chosen, follow=True).status_code == 200


@pytest.mark.parametrize("value", ["x", ""])
def test_a_status_that_makes_no_sense_is_no_error(acme, admin_client, value):
    assert admin_client.get(USERS, {"status__exact": value}, follow=True).status_code == 200


@pytest.mark.parametrize("lookup", ["outcome__exact", "application__id__exact", "when"])
def test_a_nul_among_the_choices_never_reaches_the_database(two_of_each, admin_client, lookup):
    assert admin_client.get(EVENTS, {lookup: "\x00"}).status_code == 400
    assert admin_client.get(USERS, {"status__exact": "x\x00"}).status_code == 400


# This pool's applications and sources alone


def test_the_choices_are_the_pools_own(globex, two_of_each, admin_client):
    type(globex.application).objects.filter(pool=globex.pool).update(name="Globex shop")
    type(globex.source).objects.filter(pool=globex.pool).update(display_name="Globex program")

    text = see(admin_client, EVENTS).text

    assert "Second shop" in text
    assert "Second mini program" in text
    assert "Globex" not in text


def test_another_pools_application_finds_nothing(acme, globex, two_of_each, admin_client):
    make_event(globex, request_id="theirs")

    for chosen in (
        {"application__id__exact": globex.application.pk},
        {"identity_source__id__exact": globex.source.pk},
    ):
        assert found(admin_client.get(EVENTS, chosen)) == set()


# Each filter


def test_events_are_those_of_an_application_or_a_source(two_of_each, admin_client):
    application, source = two_of_each

    for chosen in (
        {"application__id__exact": application.pk},
        {"identity_source__id__exact": source.pk},
    ):
        assert found(admin_client.get(EVENTS, chosen)) == {"second"}


def test_events_without_a_source_are_found(acme, two_of_each, admin_client):
    make_event(acme, request_id="no source", identity_source=None, error="invalid_client")

    assert found(admin_client.get(EVENTS, {"identity_source__isnull": "True"})) == {"no source"}


def test_events_are_those_of_a_door_and_an_outcome(acme, admin_client):
    make_event(acme, request_id="test", door="experience")
    make_event(acme, request_id="reused", door="refresh", error="refresh_token_reused")

    assert found(admin_client.get(EVENTS, {"door__exact": "experience"})) == {"test"}
    assert found(admin_client.get(EVENTS, {"outcome__exact": "refused"})) == {"reused"}
    both = {"outcome__exact": "refused", "door__exact": "experience"}
    assert found(admin_client.get(EVENTS, both)) == set()


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("hour", {"minutes"}),
        ("day", {"minutes", "hours"}),
        ("week", {"minutes", "hours", "days"}),
    ],
)
def test_events_are_those_of_the_last_hour_day_or_week(acme, admin_client, when, expected):
    make_event(acme, request_id="minutes", ago=timedelta(minutes=59))
    make_event(acme, request_id="hours", ago=timedelta(hours=23))
    make_event(acme, request_id="days", ago=timedelta(days=6, hours=23))
    make_event(acme, request_id="weeks", ago=timedelta(days=8))

    assert found(admin_client.get(EVENTS, {"when": when})) == expected


def test_the_filters_that_are_offered_are_allowed(two_of_each, admin_client):
    page = see(admin_client, EVENTS)

    offered = {link for link in page.links if link.startswith("?") and "=" in link}
    assert any("when=hour" in link for link in offered)
    for link in offered:
        assert admin_client.get(EVENTS + link).status_code == 200, link


def test_people_are_those_of_a_status(acme, admin_client):
    make_person(acme, 1, nickname="active")
    make_person(acme, 2, nickname="suspended", status="suspended")

    response = admin_client.get(USERS, {"status__exact": "suspended"})

    assert [user.nickname for user in response.context["cl"].result_list] == ["suspended"]

"""The list in which a failure is found, and the page of one attempt."""

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import LoginEvent
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.pages import Page, see
from tests.support.people import make_event

LIST = "/console/acme/events/"
REUSED = "A refresh token was used twice, so its session was ended."


def page_of(event, pool="acme"):
    return f"/console/{pool}/events/{event.pk}/change/"


def found(response):
    """Return the events that a list shows, by their request ids."""
    assert response.status_code == 200
    return [event.request_id for event in response.context["cl"].result_list]


# Who may


@pytest.mark.parametrize("address", [LIST, "event"])
def test_a_stranger_signs_in_and_an_operator_of_another_pool_finds_nothing(
    acme, client, stranger_client, address
):
    address = page_of(make_event(acme)) if address == "event" else address

    assert client.get(address)["Location"] == f"/console/acme/login/?next={address}"
    assert stranger_client.get(address).status_code == 404


def test_an_event_is_not_found_in_another_pool(acme, globex, stranger_client, superuser_client):
    event = make_event(acme)

    for client in (stranger_client, superuser_client):
        assert client.get(page_of(event, "globex")).status_code == 404
        assert client.get(f"/console/globex/events/{event.pk}/history/").status_code == 404
    assert superuser_client.get(page_of(event)).status_code == 200


@pytest.mark.parametrize("name", [uuid4(), "nonsense", "%00", "a" * 500, "1"])
def test_an_event_that_there_isnt_is_not_found(admin_client, name):
    assert admin_client.get(f"{LIST}{name}/change/").status_code == 404


def test_nobody_adds_changes_or_deletes_an_event(acme, admin_client, superuser_client):
    event = make_event(acme, request_id="as-it-was")

    for client in (admin_client, superuser_client):
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.post(f"{LIST}add/", {"outcome": "succeeded"}).status_code == 403
        assert client.post(f"{LIST}{event.pk}/delete/", {"post": "yes"}).status_code == 403
        client.post(page_of(event), {"request_id": "changed", "_save": "Save"})
        action = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
        client.post(LIST, action)
    assert LoginEvent.objects.get().request_id == "as-it-was"


def test_a_viewer_sees_the_list_and_the_trace(acme, viewer_client):
    event = make_event(acme)

    assert found(viewer_client.get(LIST)) == [""]
    assert "Request received" in see(viewer_client, page_of(event)).text


# The list


def test_an_empty_list_says_how_it_fills(admin_client):
    assert "Nobody has logged in yet." in see(admin_client, LIST).text


def test_the_list_shows_only_this_pools_events_the_newest_first(acme, globex, admin_client):
    make_event(acme, request_id="earlier", ago=timedelta(minutes=1))
    make_event(acme, request_id="later")
    make_event(globex, request_id="theirs")

    assert found(admin_client.get(LIST)) == ["later", "earlier"]


def test_the_reason_is_told_in_a_sentence(acme, admin_client):
    make_event(acme, decision="created")
    make_event(acme, error="invalid_code", wechat_milliseconds=1234)
    make_event(acme, error="refresh_token_reused", door="refresh")
    make_event(acme, error="a_word_of_a_newer_version")

    text = see(admin_client, LIST).text

    for told in ("A new user", "WeChat didn't accept the code.", REUSED, "The login was refused."):
        assert told in text


@pytest.mark.parametrize(
    "query",
    ["the-request", "a-sub-of-the-user", "6527b5a5-3c8d1f9e-2a4b6c8d", "40029", "invalid_code"],
)
def test_an_event_is_found_by_what_a_caller_or_wechats_support_names(
    acme, globex, admin_client, query
):
    for tenant in (acme, globex):
        make_event(
            tenant,
            user=builders.make_user(tenant.pool, sub="a-sub-of-the-user"),
            request_id="the-request",
            error="invalid_code",
            wechat_errcode=40029,
            wechat_rid="6527b5a5-3c8d1f9e-2a4b6c8d",
        )
    make_event(acme, request_id="another", error="invalid_scope", wechat_errcode=40163)

    assert found(admin_client.get(LIST, {"q": query})) == ["the-request"]
    assert found(admin_client.get(LIST, {"q": f" {query} "})) == ["the-request"]


def test_a_negative_errcode_is_found(acme, admin_client):
    make_event(acme, request_id="busy", error="wechat_unavailable", wechat_errcode=-1)

    assert found(admin_client.get(LIST, {"q": "-1"})) == ["busy"]


@pytest.mark.parametrize(
    "query",
    ["nothing", "\x00", '"', "%", "'; --", "a" * 3000, "400 29", "99999999999999999999", "\uff11"],
)
def test_a_search_for_anything_else_finds_nothing(acme, admin_client, query):
    make_event(acme, error="invalid_code", wechat_errcode=40029)

    assert admin_client.get(LIST, {"q": query}).status_code == 200


def test_a_page_far_beyond_the_last_is_empty(acme, admin_client):
    make_event(acme)

    assert found(admin_client.get(LIST, {"p": 99_999})) == []
    assert found(admin_client.get(LIST, {"p": "nonsense"})) == [""]


def test_a_long_list_has_a_second_page(acme, admin_client):
    for number in range(51):
        make_event(acme, request_id=f"number-{number}", ago=timedelta(seconds=number))

    assert len(found(admin_client.get(LIST))) == 50
    assert found(admin_client.get(LIST, {"p": 2})) == ["number-50"]


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_however_long_it_is(
    acme, admin_client, rows, django_assert_num_queries
):
    for number in range(rows):
        make_event(
            acme,
            user=builders.make_user(acme.pool),
            request_id=f"number-{number}",
            decision="created",
        )

    with django_assert_num_queries(9) as captured:
        response = admin_client.get(LIST)

    assert len(found(response)) == rows
    assert not any('"steps"' in query["sql"] for query in captured.captured_queries)


# The page of one


def test_the_page_tells_the_same_trace_as_the_experience_login(acme, admin_client, wechat):
    wechat.script(wechat_refuses(40164))
    shown = admin_client.post(
        "/experience/acme-shop", {"identity_source": "acme-mini", "person": "alice"}
    )
    event = LoginEvent.objects.get()

    response = admin_client.get(page_of(event))

    assert response.context["lines"] == shown.context["lines"]
    assert response.context["headline"] == shown.context["headline"]
    assert "a test by an operator" in Page(response).text
    for told in ("40164", "Stopped here", event.request_id, event.wechat_rid):
        assert told in Page(response).text


def test_the_page_of_a_login_leads_to_the_user_the_application_and_the_source(
    acme, admin_client, log_in
):
    log_in()
    event = LoginEvent.objects.get()

    links = see(admin_client, page_of(event)).links

    for place in (
        f"users/{event.user_id}",
        f"applications/{acme.application.pk}",
        f"sources/{acme.source.pk}",
    ):
        assert f"/console/acme/{place}/change/" in links
        assert admin_client.get(f"/console/acme/{place}/change/").status_code == 200


def test_an_event_with_hardly_anything_in_it_has_a_page(acme, admin_client):
    event = make_event(acme, identity_source=None, error="refresh_token_reused", door="refresh")

    text = see(admin_client, page_of(event)).text

    assert f"Refused: {REUSED}" in text
    assert "Somebody may have stolen it" in text

"""A pool at a glance: its last 24 hours, why logins were refused, and what is still to be done."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.models import Conflict, LoginEvent
from accounts.overview import CONFLICTS_SHOWN, EVENTS_SHOWN, REFUSALS_SHOWN, overview_of
from identity_sources.health import note_punishment
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.client import signed_in
from tests.support.pages import Page, see
from tests.support.people import hold, make_event, make_pair
from tests.support.wechat_calls import MINUTE, NOW, REFUSED, note
from userpools.models import Membership

PAGE = "/console/acme/"
HOURS_23, HOURS_25, HOURS_49 = (timedelta(hours=hours) for hours in (23, 25, 49))


def seen(pool):
    return overview_of(pool, now=timezone.now())


# The figures


def test_a_new_pool_has_nothing_but_things_to_do(db):
    overview = seen(builders.make_pool())

    assert (overview.succeeded, overview.refused, overview.refused_before) == (0, 0, 0)
    assert (overview.new_users, overview.users) == (0, 0)
    assert (overview.refusals, overview.events, overview.experience) == ([], [], [])
    assert not overview.is_set_up


def test_the_last_24_hours_are_counted_and_the_day_before(acme):
    for ago in (timedelta(), HOURS_23):
        make_event(acme, ago=ago, decision="created")
        make_event(acme, ago=ago, decision="matched_openid")
        make_event(acme, ago=ago, error="invalid_code")
    for _ in range(3):
        make_event(acme, ago=HOURS_25, error="invalid_code")
        make_event(acme, ago=HOURS_25, decision="created")
    make_event(acme, ago=HOURS_49, error="invalid_code")

    overview = seen(acme.pool)

    assert (overview.succeeded, overview.refused, overview.refused_before) == (4, 2, 3)
    assert overview.new_users == 2


@pytest.mark.parametrize("error", ["account_binding_required", "phone_code_required"])
def test_a_first_login_that_asks_the_person_something_is_no_failure(acme, error):
    make_event(acme, error=error)
    make_event(acme, error=error, ago=HOURS_25)

    overview = seen(acme.pool)

    assert (overview.succeeded, overview.refused, overview.refused_before) == (0, 0, 0)
    assert overview.refusals == []


def test_merged_users_are_no_users_any_more(acme):
    merge_by_hand(*make_pair(acme), operator=builders.make_operator("ada"), now=timezone.now())

    assert seen(acme.pool).users == 1


def test_the_conflicts_seen_last_are_named_first_and_not_too_many(acme, globex):
    hold(globex, *make_pair(globex))
    for number in range(CONFLICTS_SHOWN + 1):
        pair = (builders.make_user(acme.pool), builders.make_user(acme.pool))
        held = hold(acme, *pair)
        Conflict.objects.filter(pk=held.pk).update(
            last_seen_at=timezone.now() + timedelta(minutes=number)
        )

    shown = seen(acme.pool).conflicts

    assert len(shown) == CONFLICTS_SHOWN
    assert shown[0] == Conflict.objects.get(pk=held.pk)
    assert {conflict.pool for conflict in shown} == {acme.pool}


def test_another_pool_counts_for_nothing(acme, globex):
    make_event(globex, decision="created")
    make_event(globex, error="invalid_code")
    builders.make_user(globex.pool)

    overview = seen(acme.pool)

    assert (overview.succeeded, overview.refused, overview.new_users, overview.users) == (0,) * 4
    assert (overview.refusals, overview.events) == ([], [])
    assert overview.experience == [acme.application]


def test_the_commonest_refusals_come_first_with_their_meaning(acme):
    for count, error in enumerate(
        ("invalid_scope", "invalid_code", "user_suspended", "invalid_client", "a_new_word"), 1
    ):
        for _ in range(count):
            make_event(acme, error=error)
    for error in ("account_closed", "registration_closed"):
        make_event(acme, error=error)
    make_event(acme, ago=HOURS_25, error="server_error")

    refusals = seen(acme.pool).refusals

    assert [(refusal.error, refusal.count) for refusal in refusals] == [
        ("a_new_word", 5),
        ("invalid_client", 4),
        ("user_suspended", 3),
        ("invalid_code", 2),
        ("account_closed", 1),
    ]
    assert len(refusals) == REFUSALS_SHOWN
    assert refusals[2].meaning == "The user is suspended."
    assert refusals[0].meaning == "The login was refused."


def test_the_latest_events_are_shown_however_old_they_are(acme):
    for number in range(EVENTS_SHOWN + 1):
        make_event(acme, ago=HOURS_49 + timedelta(minutes=number), request_id=str(number))

    shown = [event.request_id for event in seen(acme.pool).events]

    assert shown == [str(number) for number in range(EVENTS_SHOWN)]


def test_applications_to_experience_are_on_and_people_log_in_to_them(acme):
    builders.make_application(acme.pool, client_id="acme-web", name="Web", type="web")
    builders.make_application(acme.pool, client_id="acme-machine", type="machine")
    builders.make_application(acme.pool, client_id="acme-off", enabled=False)
    builders.make_application(acme.pool, client_id="acme-app", name="App")

    names = [application.client_id for application in seen(acme.pool).experience]

    assert names == ["acme-app", "acme-shop", "acme-web"]


# The sources' health


def test_failing_sources_are_listed_with_what_wechat_says_the_longest_failing_first(acme):
    second = builders.make_source(acme.pool, identifier="second", app_id="wxsandbox000000009")
    note(acme.source, REFUSED, now=NOW + MINUTE)
    note(second, replace(REFUSED, errcode=40164), now=NOW)
    note(acme.source, replace(REFUSED, call="stable_token"), now=NOW + MINUTE)
    note_punishment(second, event_type=1, facts={}, now=timezone.now())

    failing = seen(acme.pool).failing

    assert [(one.source, one.since) for one in failing] == [
        (second, NOW),
        (acme.source, NOW + MINUTE),
    ]
    assert [len(one.complaints) for one in failing] == [1, 2]


@pytest.mark.parametrize(
    "changes", [{"enabled": False}, {"archived_at": NOW}, {"failing_since": None}]
)
def test_a_source_that_nobody_uses_or_that_works_is_not_listed(acme, changes):
    note(acme.source, REFUSED)
    IdentitySource.objects.update(**changes)

    assert seen(acme.pool).failing == []


def test_a_failing_source_of_another_pool_is_not_listed(acme, globex):
    note(globex.source, REFUSED)

    assert seen(acme.pool).failing == []
    assert [one.source for one in seen(globex.pool).failing] == [globex.source]


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_failing_sources_are_the_first_thing_on_the_page(acme, role, request):
    client = request.getfixturevalue(f"{role}_client")
    assert "✓ No identity source is failing." in see(client, PAGE).text

    note(acme.source, REFUSED, now=timezone.now())

    page = see(client, PAGE)
    assert "No identity source is failing" not in page.text
    warning = page.text.index("✕ Mini program · Failing · just now")
    assert warning < page.text.index("Logins, 24 hours")
    assert "Login: AppID and AppSecret · The AppSecret is wrong" in page.text
    assert f"/console/acme/sources/{acme.source.pk}/change/" in page.links


def test_a_pool_without_sources_claims_nothing_of_them(db):
    pool = builders.make_pool("fresh")

    page = see(signed_in(builders.make_operator("ada", pool)), "/console/fresh/")

    assert "is failing" not in page.text


# What is still to be done


def test_a_pool_is_set_up_with_a_source_an_application_and_a_method(acme):
    assert seen(acme.pool).is_set_up

    acme.method.enabled = False
    acme.method.save()
    assert (seen(acme.pool).has_method, seen(acme.pool).is_set_up) == (False, False)

    acme.source.archived_at = timezone.now()
    acme.source.save()
    assert not seen(acme.pool).has_source
    assert seen(acme.pool).has_application


# The page


def test_a_stranger_signs_in_and_an_operator_of_another_pool_finds_nothing(
    acme, client, stranger_client
):
    assert client.get(PAGE)["Location"] == f"{PAGE}login/?next={PAGE}"
    assert stranger_client.get(PAGE).status_code == 404


def test_the_first_steps_have_buttons_while_nothing_is_set_up(db):
    pool = builders.make_pool("fresh")
    ada = signed_in(builders.make_operator("ada", pool))

    page = see(ada, "/console/fresh/")

    assert "The first login, step by step" in page.text
    assert "/console/fresh/sources/add/" in page.links
    assert "/console/fresh/applications/add/" in page.links
    assert "Nobody has logged in yet." in page.text


def test_the_first_steps_go_when_they_are_done(admin_client):
    assert "step by step" not in see(admin_client, PAGE).text


def test_the_last_step_leads_to_the_applications(acme, admin_client):
    acme.method.delete()

    page = see(admin_client, PAGE)

    assert "switch the source on in the application's login control" in page.text
    assert page.links.count("/console/acme/applications/") == 2


def test_a_viewer_sees_the_same_without_buttons(acme, viewer_client):
    make_event(acme, error="invalid_code")
    acme.method.delete()

    response = viewer_client.get(PAGE)

    page = Page(response)
    assert "up-button" not in response.content.decode()
    assert "/experience/acme-shop" not in page.links
    assert "WeChat didn't accept the code." in page.text
    assert "step by step" in page.text


def test_a_viewer_of_a_new_pool_sees_no_buttons(db):
    pool = builders.make_pool("fresh")
    response = signed_in(builders.make_operator("vic", pool, role="viewer")).get("/console/fresh/")

    assert "up-button" not in response.content.decode()


def test_whoever_becomes_an_administrator_sees_the_buttons(acme, viewer_client):
    Membership.objects.update(role=Membership.Role.ADMIN)

    assert "/experience/acme-shop" in see(viewer_client, PAGE).links


def test_refusals_and_figures_lead_to_the_events_that_they_count(acme, admin_client):
    make_event(acme, request_id="counted", error="invalid_code")
    make_event(acme, request_id="other", error="invalid_scope")
    make_event(acme, request_id="old", ago=HOURS_25, error="invalid_code")
    make_event(acme, request_id="fine")
    links = see(admin_client, PAGE).links

    def behind(query):
        (link,) = [link for link in links if link.endswith(query)]
        events = admin_client.get(link).context["cl"].result_list
        return {event.request_id for event in events}

    assert behind("/events/?q=invalid_code&when=day") == {"counted"}
    assert behind("/events/?outcome__exact=refused&when=day") == {"counted", "other"}
    assert behind("/events/?outcome__exact=succeeded&when=day") == {"fine"}


def test_each_event_leads_to_its_page(acme, admin_client):
    event = make_event(acme)

    assert f"/console/acme/events/{event.pk}/change/" in see(admin_client, PAGE).links


def test_hostile_names_and_errors_are_text(acme, admin_client):
    script = "<script>alert(1)</script>"
    type(acme.application).objects.update(name=script)
    make_event(acme, error=script)

    assert script not in admin_client.get(PAGE).content.decode()


@pytest.mark.parametrize("rows", [1, 20])
def test_the_page_costs_the_same_however_much_there_is(
    acme, admin_client, rows, django_assert_num_queries
):
    for number in range(rows):
        builders.make_application(acme.pool, client_id=f"acme-app-{number}", name="App")
        user = builders.make_user(acme.pool)
        make_event(acme, user=user, error="invalid_code", ago=timedelta(minutes=number))
        make_event(acme, user=user, decision="created")
        hold(acme, user, builders.make_user(acme.pool))
    admin_client.get(PAGE)  # the first visit notes which pool was the last

    with django_assert_num_queries(15) as captured:
        admin_client.get(PAGE)

    assert LoginEvent.objects.count() == 2 * rows
    assert not any('"steps"' in query["sql"] for query in captured.captured_queries)

"""The review list: both people side by side, and a decision that is made once."""

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts.merging import conflicts
from accounts.merging.review import keep_apart
from accounts.models import Conflict, Merge, User
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.pages import Page, see
from tests.support.people import hold, make_event, make_pair, make_person, make_session

LIST = "/console/acme/review/"
SCRIPT = "<script>alert(1)</script>"


def page_of(conflict, pool="acme"):
    return f"/console/{pool}/review/{conflict.pk}/change/"


def press(client, conflict, action, pool="acme", **fields):
    usual = {"state": "open"} if action == "merge" else {}
    return client.post(f"/console/{pool}/review/{conflict.pk}/{action}/", usual | fields)


def actions(page):
    return {form.action for form in page.forms if "/review/" in form.action}


@pytest.fixture
def pair(acme):
    return make_pair(acme)


@pytest.fixture
def conflict(acme, pair):
    return hold(acme, *pair)


@pytest.fixture
def single(acme):
    user = make_person(acme, 1, nickname="Bob")
    conflicts.hold_openid(user, "o-virtual", acme.source, now=timezone.now())
    return Conflict.objects.get(user=user)


# Who may


@pytest.mark.parametrize("action", ["merge", "keep-apart"])
def test_only_an_administrator_of_the_pool_decides(
    conflict, action, client, viewer_client, stranger_client, superuser_client
):
    assert press(client, conflict, action)["Location"].startswith("/console/acme/login/")
    assert press(viewer_client, conflict, action).status_code == 403
    assert press(stranger_client, conflict, action).status_code == 404
    for other in (stranger_client, superuser_client):
        assert press(other, conflict, action, "globex").status_code == 404

    assert Conflict.objects.get().state == Conflict.State.OPEN
    assert not LogEntry.objects.exists()
    assert not Merge.objects.exists()


@pytest.mark.parametrize("action", ["merge", "keep-apart"])
def test_deciding_is_a_post_with_a_token_of_the_page(acme, conflict, action):
    careful = GuardedClient(enforce_csrf_checks=True)
    careful.force_login(
        builders.make_operator("ada", acme.pool),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert careful.get(f"{LIST}{conflict.pk}/{action}/").status_code == 405
    assert press(careful, conflict, action).status_code == 403
    assert Conflict.objects.get().state == Conflict.State.OPEN

    form = see(careful, page_of(conflict)).form_to(f"/{action}/")
    assert careful.post(form.action, form.fields).status_code == 302
    assert Conflict.objects.get().state != Conflict.State.OPEN


def test_a_viewer_sees_both_people_and_no_buttons(conflict, single, viewer_client):
    for one in (conflict, single):
        assert actions(see(viewer_client, page_of(one))) == set()
    assert "What the merge will do" in see(viewer_client, page_of(conflict)).text


# The list and where it is named


def test_an_empty_list_says_that_nothing_waits(admin_client):
    assert "Nothing waits for a decision" in see(admin_client, LIST).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"open"}),
        ({"state": "apart"}, {"apart"}),
        ({"state": "merged"}, {"merged"}),
        ({"state": "all"}, {"open", "apart", "merged"}),
        ({"state": "nonsense"}, set()),
    ],
)
def test_the_list_shows_the_open_ones_unless_others_are_asked_for(
    acme, globex, admin_client, query, expected
):
    for number, state in enumerate(Conflict.State):
        users = (make_person(acme, 2 * number), make_person(acme, 2 * number + 1))
        conflict = hold(acme, *users)
        Conflict.objects.filter(pk=conflict.pk).update(state=state)
    hold(globex, *make_pair(globex))

    shown = admin_client.get(LIST, query).context["cl"].result_list

    assert {conflict.state for conflict in shown} == expected


def test_the_sidebar_counts_what_waits_in_this_pool(acme, globex, conflict, viewer_client):
    hold(globex, *make_pair(globex))

    assert "Review 1" in see(viewer_client, "/console/acme/users/").text
    keep_apart(conflict)
    text = see(viewer_client, "/console/acme/users/").text
    assert "Review 1" not in text
    assert "Review 0" not in text


def test_the_sidebar_stops_counting_at_a_hundred(acme, viewer_client):
    now, user = timezone.now(), builders.make_user(acme.pool)
    Conflict.objects.bulk_create(
        Conflict(
            pool=acme.pool,
            user=user,
            app_id="a",
            openid=str(number),
            reason="second_openid",
            first_seen_at=now,
            last_seen_at=now,
        )
        for number in range(101)
    )

    assert "Review 99+" in see(viewer_client, "/console/acme/users/").text


def test_the_overview_names_what_waits_and_is_silent_when_nothing_does(
    acme, globex, conflict, single, viewer_client
):
    hold(globex, *make_pair(globex, nickname="Somebody of Globex"))

    page = see(viewer_client, "/console/acme/")

    assert "To be decided" in page.text
    assert "Alice · Alice on the web · UnionID of another user" in page.text
    assert "Somebody of Globex" not in page.text
    assert {page_of(conflict), page_of(single)} <= set(page.links)
    Conflict.objects.update(state=Conflict.State.APART)
    assert "To be decided" not in see(viewer_client, "/console/acme/").text


def test_a_login_leads_to_the_conflict_that_it_was_held_for(acme, conflict, pair, viewer_client):
    event = make_event(acme, user=pair[0], conflict="unionid_of_another_user")
    Conflict.objects.update(last_seen_at=event.occurred_at)
    other = make_event(acme, user=pair[0])

    assert page_of(conflict) in see(viewer_client, f"/console/acme/events/{event.pk}/change/").links
    assert (
        page_of(conflict)
        not in see(viewer_client, f"/console/acme/events/{other.pk}/change/").links
    )


# The page of one


def test_both_people_stand_side_by_side_with_what_the_merge_will_do(
    acme, pair, conflict, viewer_client
):
    make_session(acme, pair[1])
    event = make_event(acme, user=pair[1])

    page = see(viewer_client, page_of(conflict))

    for told in ("o-of-alice", "o-elsewhere", "u-of-alice", pair[0].sub, pair[1].sub, "Active"):
        assert told in page.text
    assert "Alice stays: the older of the two" in page.text
    assert "1 running session of Alice on the web ends now." in page.text
    assert f"/console/acme/events/{event.pk}/change/" in page.links
    assert "What stands against it" not in page.text


def test_what_forbids_a_merge_is_said_and_there_is_no_button(acme, admin_client):
    conflict = hold(acme, make_person(acme, 1), make_person(acme, 2))

    page = see(admin_client, page_of(conflict))

    assert "They have two OpenIDs of one AppID" in page.text
    assert actions(page) == {f"{LIST}{conflict.pk}/keep-apart/"}
    refused = Page(admin_client.get(press(admin_client, conflict, "merge")["Location"]))
    assert "Not merged. They have two OpenIDs of one AppID" in refused.text
    assert Conflict.objects.get().state == Conflict.State.OPEN


def test_a_single_openid_says_what_it_may_be(single, admin_client):
    page = see(admin_client, page_of(single))

    assert "It may be a virtual OpenID" in page.text
    assert "o-virtual" in page.text
    assert "Dismiss" in page.text
    assert actions(page) == {f"{LIST}{single.pk}/keep-apart/"}


def test_a_hostile_nickname_is_text(acme, admin_client):
    conflict = hold(acme, *make_pair(acme, nickname=SCRIPT))

    for address in (LIST, page_of(conflict), "/console/acme/"):
        assert SCRIPT not in admin_client.get(address).content.decode()
    shown = press(admin_client, conflict, "merge")["Location"]
    assert SCRIPT not in admin_client.get(shown).content.decode()


# Deciding


def test_merging_leads_to_the_survivor_and_is_in_everybodys_history(pair, conflict, admin_client):
    user, other = pair

    answer = press(admin_client, conflict, "merge")

    assert answer["Location"] == f"/console/acme/users/{user.pk}/change/"
    page = Page(admin_client.get(answer["Location"]))
    assert "Merged: Alice on the web is part of Alice now." in page.text
    merge = Merge.objects.get()
    assert (merge.survivor, merge.merged, merge.operator.username) == (user, other, "ada")
    told = {entry.object_id: entry.get_change_message() for entry in LogEntry.objects.all()}
    assert told == {
        str(conflict.pk): "Merged.",
        str(user.pk): f"{other.sub} was merged into this user.",
        str(other.pk): f"Merged into {user.sub}.",
    }
    settled = see(admin_client, page_of(conflict))
    assert "They are one user now." in settled.text
    assert actions(settled) == set()


def test_keeping_apart_is_said_and_leaves_them_two(pair, conflict, admin_client):
    page = Page(admin_client.get(press(admin_client, conflict, "keep-apart")["Location"]))

    assert "Kept apart: no login merges them." in page.text
    assert Conflict.objects.get().state == Conflict.State.APART
    assert LogEntry.objects.get().get_change_message() == "Kept apart: no login merges them."
    assert not User.objects.filter(status=User.Status.MERGED).exists()


def test_a_pair_that_is_kept_apart_can_be_merged_after_all(conflict, admin_client):
    keep_apart(conflict)

    form = see(admin_client, page_of(conflict)).form_to("/merge/")
    admin_client.post(form.action, form.fields)

    assert Conflict.objects.get().state == Conflict.State.MERGED


def test_a_single_openid_is_dismissed(single, admin_client):
    page = Page(admin_client.get(press(admin_client, single, "keep-apart")["Location"]))

    assert "Dismissed." in page.text
    assert Conflict.objects.get().state == Conflict.State.APART
    assert "Dismissed" in see(admin_client, page_of(single)).text


@pytest.mark.parametrize("action", ["merge", "keep-apart"])
def test_whoever_comes_second_is_told_so(conflict, action, admin_client):
    keep_apart(conflict)

    page = Page(admin_client.get(press(admin_client, conflict, action)["Location"]))

    assert "Somebody else has decided meanwhile. Nothing was changed." in page.text
    assert Conflict.objects.get().state == Conflict.State.APART
    assert not LogEntry.objects.exists()

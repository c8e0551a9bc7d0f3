"""People: found by whatever they name, shown with what ties them to WeChat, kept out and let in."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from accounts.models import LoginEvent, Session, User
from identity_sources.sandbox import openid_of, unionid_of
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.pages import Page, fill_in, see
from tests.support.people import make_event, make_person, make_session

LIST = "/console/acme/users/"
SHOP = builders.MINI_APP_ID
SCRIPT = "<script>alert(1)</script>"


def page_of(user, pool="acme"):
    return f"/console/{pool}/users/{user.pk}/change/"


def suspend(client, user, pool="acme"):
    return client.post(f"/console/{pool}/users/{user.pk}/suspend/")


def lift(client, user, pool="acme"):
    return client.post(f"/console/{pool}/users/{user.pk}/lift-suspension/")


def found(client, query):
    response = client.get(LIST, {"q": query})
    assert response.status_code == 200
    return {user.sub for user in response.context["cl"].result_list}


@pytest.fixture
def alice(acme):
    """Known by every name, and an Alice of Globex by the same."""
    return make_person(
        acme,
        1,
        sub="the-sub-of-alice",
        nickname="爱丽 Alice",
        phone_number="+8613800138001",
        phone_number_verified_at=timezone.now(),
    )


# Who may


@pytest.mark.parametrize("address", [LIST, "person"])
def test_a_stranger_signs_in_and_an_operator_of_another_pool_finds_nothing(
    alice, client, stranger_client, address
):
    address = page_of(alice) if address == "person" else address

    assert client.get(address)["Location"] == f"/console/acme/login/?next={address}"
    assert stranger_client.get(address).status_code == 404


def test_a_person_is_not_found_in_another_pool(alice, globex, stranger_client, superuser_client):
    for client in (stranger_client, superuser_client):
        assert client.get(page_of(alice, "globex")).status_code == 404
        assert client.get(f"/console/globex/users/{alice.pk}/history/").status_code == 404
        assert suspend(client, alice, "globex").status_code == 404
    assert User.objects.get().status == User.Status.ACTIVE


@pytest.mark.parametrize("name", [uuid4(), "nonsense", "%00", "the-sub-of-alice"])
def test_a_person_who_isnt_there_is_not_found(alice, admin_client, name):
    assert admin_client.get(f"{LIST}{name}/change/").status_code == 404
    assert admin_client.post(f"{LIST}{name}/suspend/", follow=True).status_code in {404, 405}


def test_nobody_deletes_a_person_or_writes_what_only_wechat_proves(
    alice, admin_client, superuser_client
):
    for client in (admin_client, superuser_client):
        assert client.post(f"{LIST}{alice.pk}/delete/", {"post": "yes"}).status_code == 403
        changed = {"status": "closed", "phone_number": "+8613800138009", "sub": "another"}
        assert fill_in(client, page_of(alice), **changed).status_code == 302
        action = {"action": "delete_selected", "_selected_action": [alice.pk], "post": "yes"}
        client.post(LIST, action)
    unchanged = User.objects.get()
    assert (unchanged.status, unchanged.sub) == (User.Status.ACTIVE, "the-sub-of-alice")
    assert unchanged.phone_number == "+8613800138001"


# The list


def test_an_empty_list_says_how_it_fills(admin_client):
    assert "People become users by logging in." in see(admin_client, LIST).text


@pytest.mark.parametrize(
    "query",
    [
        "13800138001",
        "+8613800138001",
        "0138001",
        "爱丽",
        "alice",
        "爱丽 Alice",
        f"oSANDBOX_openid_{1:013d}",
        f"oSANDBOX_unionid_{1:012d}",
        "the-sub-of-alice",
    ],
)
def test_a_person_is_found_by_whatever_they_name_and_nobody_of_another_pool(
    alice, globex, acme, admin_client, query
):
    make_person(
        globex,
        1,
        sub=alice.sub,
        nickname=alice.nickname,
        phone_number=alice.phone_number,
        phone_number_verified_at=timezone.now(),
    )
    make_person(acme, 2, sub="somebody-else", nickname="Bob", phone_number="+8613800138002")

    response = admin_client.get(LIST, {"q": query})

    assert list(response.context["cl"].result_list) == [alice]


def test_a_person_who_logged_in_is_found_by_wechats_names(acme, admin_client, log_in):
    sub = log_in().json()["user"]["sub"]
    log_in("bob")

    for name in (openid_of(SHOP, "alice"), unionid_of(SHOP, "alice")):
        assert found(admin_client, name) == {sub}


def test_part_of_an_openid_finds_nobody(alice, admin_client):
    assert found(admin_client, "oSANDBOX_openid") == set()
    assert found(admin_client, "the-sub") == set()


@pytest.mark.parametrize("query", ["\x00", "%", "_", '"', "'; --", "a" * 3000, SCRIPT])
def test_a_search_for_anything_else_finds_nobody(alice, admin_client, query):
    response = admin_client.get(LIST, {"q": query})

    assert response.status_code == 200
    assert SCRIPT not in response.content.decode()


@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize("query", ["", "oSANDBOX_openid_0000000000000"])
def test_the_list_costs_the_same_however_long_it_is(
    acme, admin_client, rows, query, django_assert_num_queries
):
    for number in range(rows):
        make_person(acme, number, nickname=f"Person {number}")

    with django_assert_num_queries(8):
        response = admin_client.get(LIST, {"q": query} if query else {})

    assert len(response.context["cl"].result_list) == (1 if query else rows)


# The page of one


def test_the_page_shows_who_it_is_and_every_tie_to_wechat(acme, admin_client, log_in):
    log_in(phone_code=builders.get_phone_number())
    user = User.objects.get()

    text = see(admin_client, page_of(user)).text

    for told in (user.sub, "+8613800138001", "Active", openid_of(SHOP, "alice")):
        assert told in text
    for told in (unionid_of(SHOP, "alice"), f"Mini program · {SHOP}"):
        assert told in text
    assert "every app of the Open Platform account" in text
    assert "A new user: nobody had this WeChat account." in text
    assert "In the mini program" in text


def test_a_linked_account_whose_source_is_gone_is_shown_by_its_appid(acme, admin_client):
    user = make_person(acme, 1)
    user.linked_accounts.filter(kind="openid").update(app_id="wxsandbox0000000ff")

    assert "wxsandbox0000000ff" in see(admin_client, page_of(user)).text


def test_the_source_of_another_pool_lends_no_name(acme, globex, admin_client):
    user = make_person(acme, 1)
    user.linked_accounts.filter(kind="openid").update(app_id=globex.source.app_id)
    type(globex.source).objects.filter(pool=globex.pool).update(display_name="Globex program")

    assert "Globex" not in see(admin_client, page_of(user)).text


def test_sessions_say_how_they_ended(acme, admin_client):
    user = make_person(acme, 1)
    make_session(acme, user, ended_at=timezone.now(), end_reason="experience_ended")

    assert "Experience login ended" in see(admin_client, page_of(user)).text


def test_only_the_persons_own_sessions_and_attempts_are_shown(acme, admin_client):
    user, other = make_person(acme, 1), make_person(acme, 2)
    make_session(acme, other)
    make_event(acme, user=other, error="identity_conflict")
    make_event(acme, error="invalid_code")

    text = see(admin_client, page_of(user)).text

    assert "UnionID's user already has another" not in text
    assert "WeChat didn't accept the code." not in text


def test_an_attempt_leads_to_its_trace(acme, admin_client):
    user = make_person(acme, 1)
    event = make_event(acme, user=user)

    assert f"/console/acme/events/{event.pk}/change/" in see(admin_client, page_of(user)).links


@pytest.mark.parametrize("rows", [1, 20])
def test_the_page_costs_the_same_however_often_the_person_logged_in(
    acme, admin_client, rows, django_assert_max_num_queries
):
    user = make_person(acme, 1)
    for number in range(rows):
        make_session(acme, user)
        make_event(acme, user=user, ago=timedelta(minutes=number), decision="created")

    with django_assert_max_num_queries(23) as captured:
        assert admin_client.get(page_of(user)).status_code == 200

    assert not any('"steps"' in query["sql"] for query in captured.captured_queries)


def test_more_attempts_than_a_page_holds_are_paged(acme, admin_client):
    user = make_person(acme, 1)
    for number in range(21):
        make_session(acme, user)
        make_event(acme, user=user, ago=timedelta(minutes=number))

    for query in ("", "?login_events-page=2", "?sessions-page=2", "?login_events-page=x"):
        assert admin_client.get(page_of(user) + query).status_code == 200


def test_a_hostile_nickname_is_text(acme, admin_client):
    user = make_person(acme, 1, nickname=SCRIPT)

    for address in (LIST, page_of(user), f"{LIST}{user.pk}/history/"):
        assert SCRIPT not in admin_client.get(address).content.decode()
    shown = suspend(admin_client, user)
    assert SCRIPT not in admin_client.get(shown["Location"]).content.decode()


# Suspending


def test_a_viewer_and_a_stranger_suspend_nobody(alice, client, viewer_client, stranger_client):
    assert suspend(viewer_client, alice).status_code == 403
    assert suspend(stranger_client, alice).status_code == 404
    assert suspend(client, alice)["Location"].startswith("/console/acme/login/")
    User.objects.update(status=User.Status.SUSPENDED)
    assert lift(viewer_client, alice).status_code == 403
    assert lift(stranger_client, alice).status_code == 404
    assert lift(client, alice)["Location"].startswith("/console/acme/login/")

    assert User.objects.get().status == User.Status.SUSPENDED
    assert LogEntry.objects.count() == 0


def test_a_viewer_sees_no_buttons(acme, alice, viewer_client):
    for status in User.Status:
        survivor = make_person(acme, 2) if status == User.Status.MERGED else None
        User.objects.filter(pk=alice.pk).update(status=status, merged_into=survivor)
        page = see(viewer_client, page_of(alice))

        assert not [form for form in page.forms if f"/users/{alice.pk}/" in form.action]
        assert f"{LIST}{alice.pk}/merge/" not in page.links


def test_suspending_is_a_post_with_a_token_of_the_page(acme, alice, admin_client):
    careful = GuardedClient(enforce_csrf_checks=True)
    careful.force_login(
        acme.pool.memberships.get().operator,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    assert suspend(careful, alice).status_code == 403
    assert admin_client.get(f"{LIST}{alice.pk}/suspend/").status_code == 405
    assert User.objects.get().status == User.Status.ACTIVE

    form = see(careful, page_of(alice)).form_to("/suspend/")

    assert careful.post(form.action, form.fields)["Location"] == page_of(alice)
    assert User.objects.get().status == User.Status.SUSPENDED


def test_a_suspended_person_is_out_until_the_suspension_is_lifted(acme, admin_client, log_in):
    log_in()
    user = User.objects.get()

    page = Page(admin_client.get(suspend(admin_client, user)["Location"]))

    assert "Suspended; every session has ended." in page.text
    assert "This user is suspended and can't log in." in page.text
    assert Session.objects.get().end_reason == Session.EndReason.USER_SUSPENDED
    assert log_in().json()["error"] == "user_suspended"

    page = Page(admin_client.get(lift(admin_client, user)["Location"]))

    assert "The person can log in again." in page.text
    assert log_in().status_code == 200


def test_the_page_says_how_many_sessions_will_end(alice, acme, admin_client):
    make_session(acme, alice)
    make_session(acme, alice)
    make_session(acme, alice, ended_at=timezone.now(), end_reason="logged_out")

    assert "2 running sessions end now." in see(admin_client, page_of(alice)).text


def test_suspending_and_lifting_are_in_the_history_once_each(alice, acme, admin_client):
    for act in (suspend, suspend, lift, lift):
        act(admin_client, alice)

    entries = LogEntry.objects.order_by("pk")
    operator = acme.pool.memberships.get().operator
    assert [entry.get_change_message() for entry in entries] == [
        "Suspended; every session has ended.",
        "The person can log in again.",
    ]
    assert {entry.user for entry in entries} == {operator}
    text = see(admin_client, f"{LIST}{alice.pk}/history/").text
    assert "Suspended; every session has ended." in text


def test_suspending_twice_says_that_there_was_nothing_to_do(alice, admin_client):
    suspend(admin_client, alice)

    text = Page(admin_client.get(suspend(admin_client, alice)["Location"])).text

    assert "Nothing to do: somebody else was faster." in text


def test_a_closed_account_offers_nothing(alice, admin_client):
    User.objects.update(status=User.Status.CLOSED)

    page = see(admin_client, page_of(alice))

    assert "This account was closed." in page.text
    assert not [form for form in page.forms if "susp" in form.action]
    suspend(admin_client, alice)
    lift(admin_client, alice)
    assert User.objects.get().status == User.Status.CLOSED


@pytest.mark.usefixtures("threaded_database")
def test_operators_who_suspend_and_lift_at_once_meet_no_error(acme, globex, together):
    user = make_person(acme, 1)
    clients = []
    for number in range(6):
        client = GuardedClient()
        client.force_login(
            builders.make_operator(f"operator-{number}", acme.pool),
            backend="django.contrib.auth.backends.ModelBackend",
        )
        clients.append((client, lift if number % 2 else suspend))

    answers = together(lambda pair: pair[1](pair[0], user).status_code, clients)

    assert set(answers) == {302}
    assert LoginEvent.objects.count() == 0

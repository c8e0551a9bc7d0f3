"""Keeping a person out: their sessions end for good, and lifting it only lets them log in anew."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import LoginEvent, Session, User
from accounts.users.suspension import lift_suspension, suspend
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.people import make_session

NOW = timezone.now() + timedelta(minutes=1)


def me(client, answer):
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    return client.get("/api/v1/me", headers=headers)


def refresh(client, answer):
    return client.post(
        "/oidc/acme/token",
        f"grant_type=refresh_token&client_id=acme-shop&refresh_token={answer['refresh_token']}",
        content_type="application/x-www-form-urlencoded",
    )


def test_a_suspended_person_is_refused_everywhere(acme, client, log_in):
    before = log_in().json()

    assert suspend(User.objects.get(), now=NOW)

    assert me(client, before).status_code == 401
    assert refresh(client, before).json()["error"] == "invalid_grant"
    assert log_in().json()["error"] == "user_suspended"


def test_the_sessions_end_and_say_why(acme, log_in):
    log_in()
    log_in()
    user = User.objects.get()

    suspend(user, now=NOW)

    assert {(s.ended_at, s.end_reason) for s in Session.objects.all()} == {(NOW, "user_suspended")}
    assert User.objects.get().updated_at == NOW


def test_a_session_that_had_ended_keeps_its_end(acme):
    user = builders.make_user(acme.pool)
    earlier = timezone.now()
    make_session(acme, user, ended_at=earlier, end_reason=Session.EndReason.LOGGED_OUT)

    suspend(user, now=NOW)

    assert Session.objects.get().ended_at == earlier
    assert Session.objects.get().end_reason == Session.EndReason.LOGGED_OUT


def test_nobody_else_is_touched(acme, globex, client, log_in):
    bobs = log_in("bob").json()
    log_in()
    alice = User.objects.exclude(sub=bobs["user"]["sub"]).get()

    suspend(alice, now=NOW)

    assert me(client, bobs).status_code == 200
    assert Session.objects.filter(ended_at__isnull=True).count() == 1


def test_suspending_twice_says_that_it_was_done(acme):
    user = builders.make_user(acme.pool)

    assert suspend(user, now=NOW)
    assert not suspend(user, now=NOW)
    assert User.objects.get().status == User.Status.SUSPENDED


def test_a_closed_account_is_neither_suspended_nor_opened_again(acme):
    user = builders.make_user(acme.pool, status=User.Status.CLOSED)

    assert not suspend(user, now=NOW)
    assert not lift_suspension(user, now=NOW)
    assert User.objects.get().status == User.Status.CLOSED


def test_lifting_lets_the_person_log_in_and_not_resume(acme, client, log_in):
    before = log_in().json()
    suspend(User.objects.get(), now=NOW)

    assert lift_suspension(User.objects.get(), now=NOW)

    assert me(client, before).status_code == 401
    assert refresh(client, before).json()["error"] == "invalid_grant"
    answer = log_in().json()
    assert (answer["created"], answer["user"]["sub"]) == (False, before["user"]["sub"])
    assert me(client, answer).status_code == 200


def test_lifting_twice_says_that_it_was_done_and_ends_nothing(acme, log_in):
    user = builders.make_user(acme.pool, status=User.Status.SUSPENDED)
    assert lift_suspension(user, now=NOW)
    session = make_session(acme, user)

    assert not lift_suspension(user, now=NOW)

    session.refresh_from_db()
    assert session.ended_at is None


def test_a_session_that_a_login_under_way_left_behind_does_not_outlive_the_suspension(acme):
    """A login that read the status a moment before the suspension begins its session after it."""
    user = builders.make_user(acme.pool)
    suspend(user, now=NOW)
    left_behind = make_session(acme, user)

    lift_suspension(user, now=NOW)

    left_behind.refresh_from_db()
    assert left_behind.end_reason == Session.EndReason.USER_SUSPENDED


@pytest.mark.usefixtures("threaded_database")
def test_racing_suspensions_and_logins_fail_nobody(acme, together):
    """Some of each at once, again and again: every answer is one of the contract's."""

    def act(what):
        user = User.objects.get()
        if what == "suspend":
            return suspend(user, now=timezone.now())
        if what == "lift":
            return lift_suspension(user, now=timezone.now())
        body = {"client_id": "acme-shop", "code": builders.wx_login()}
        response = GuardedClient().post(LOGIN_URL, body, content_type="application/json")
        return response.json().get("error", response.status_code)

    act_once = {"client_id": "acme-shop", "code": builders.wx_login()}
    GuardedClient().post(LOGIN_URL, act_once, content_type="application/json")

    answers = []
    for _ in range(3):
        answers += together(act, ["suspend", "log in", "lift", "log in"] * 3)
    assert set(answers) <= {True, False, 200, "user_suspended"}
    assert True in answers

    suspend(User.objects.get(), now=timezone.now())
    lift_suspension(User.objects.get(), now=timezone.now())

    assert Session.objects.filter(ended_at__isnull=True).count() == 0
    assert User.objects.count() == 1
    assert set(LoginEvent.objects.values_list("error", flat=True)) <= {"", "user_suspended"}

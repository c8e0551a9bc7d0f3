"""`DELETE /api/v1/me`: closing one's account, after which nothing of it opens anything."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AccountEvent, RefreshToken, User
from tests.support.oidc import bearer, refresh, userinfo
from tests.support.records import count_rows

ME = "/api/v1/me"


@pytest.fixture
def close(client):
    return lambda headers: client.delete(ME, headers=headers)


@pytest.mark.parametrize("headers", [{}, bearer("x.y.z"), {"Authorization": "Basic YTpi"}])
def test_without_a_token_nothing_closes(acme, log_in, close, headers):
    log_in()

    assert close(headers).status_code == 401
    assert User.objects.get().status == "active"


def test_without_the_scope_account_nothing_closes(acme, log_in, close):
    headers = bearer(log_in(scope="openid profile").json()["access_token"])

    assert (close(headers).status_code, User.objects.get().status) == (403, "active")


def test_a_login_of_more_than_five_minutes_ago_closes_nothing(acme, log_in, close):
    tokens = log_in().json()
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        # A new access token of the same session is no new login.
        fresh = refresh(tokens["refresh_token"]).json()["access_token"]
        responses = [close(bearer(tokens["access_token"])), close(bearer(fresh))]

    for response in responses:
        assert response.status_code == 401
        assert response.json()["error"] == "insufficient_user_authentication"
        assert response["WWW-Authenticate"] == (
            'Bearer error="insufficient_user_authentication", max_age="300"'
        )
    assert User.objects.get().status == "active"


def test_every_token_is_dead_at_once_and_the_next_login_is_told(acme, client, log_in, close):
    first, second = log_in().json(), log_in().json()

    response = close(bearer(second["access_token"]))

    assert (response.status_code, response.content) == (204, b"")
    for tokens in (first, second):
        headers = bearer(tokens["access_token"])
        assert client.get(ME, headers=headers).status_code == 401
        assert client.get(f"{ME}/linked-accounts", headers=headers).status_code == 401
        assert userinfo(tokens["access_token"]).status_code == 401
        assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert close(headers).status_code == 401
    answer = log_in()
    assert (answer.status_code, answer.json()["error"]) == (403, "account_closed")
    assert RefreshToken.objects.count() == 2
    assert AccountEvent.objects.get().application == acme.application


def test_closing_asks_for_no_body_and_closes_nobody_else(acme, client, log_in, close):
    log_in("bob")
    tokens = log_in().json()
    before = count_rows()

    assert close(bearer(tokens["access_token"])).status_code == 204

    assert (count_rows() - before) == {"accounts.AccountEvent": 1}
    assert dict(User.objects.values_list("sub", "status"))[tokens["user"]["sub"]] == "closed"
    assert User.objects.filter(status="active").count() == 1

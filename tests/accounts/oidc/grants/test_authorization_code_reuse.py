"""A code that is used again: nobody knows who was first, so whatever it gave is revoked."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import LoginEvent, LogoutNotice, Session
from accounts.oidc.grants import authorization_code as authorization_code_grant
from applications.models import Application
from tests.accounts.oidc.grants.answers import INVALID_CODE
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, exchange, post, refresh, userinfo
from tests.support.records import event, events
from tests.support.website import authorization_code, log_in_by_browser


def introspect(token: str) -> dict[str, object]:
    fields = {"client_id": "acme-web", "token": token}
    answer: dict[str, object] = post("introspect", fields, secret=builders.CLIENT_SECRET).json()
    return answer


def test_a_second_use_revokes_what_the_first_one_gave(site):
    code = authorization_code()
    answer = exchange(code).json()
    assert introspect(answer["access_token"])["active"] is True
    assert introspect(answer["refresh_token"])["active"] is True

    response = exchange(code)

    assert response.status_code == 400
    assert response.json() == INVALID_CODE
    assert userinfo(answer["access_token"]).status_code == 401
    assert introspect(answer["access_token"]) == {"active": False}
    assert introspect(answer["refresh_token"]) == {"active": False}
    assert_refused(refresh(answer["refresh_token"], client_id="acme-spa"))
    session = Session.objects.get()
    assert session.ended_at is not None
    assert session.end_reason == "authorization_code_reused"


def test_a_second_use_revokes_tokens_that_were_refreshed_since(site):
    code = authorization_code()
    later = refresh(exchange(code).json()["refresh_token"], client_id="acme-spa").json()

    exchange(code)

    assert userinfo(later["access_token"]).status_code == 401
    assert_refused(refresh(later["refresh_token"], client_id="acme-spa"))


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"redirect_uri": "https://evil.example"},
    ],
    ids=repr,
)
def test_a_second_use_counts_whatever_else_is_wrong_with_it(site, changes):
    code = authorization_code()
    answer = exchange(code).json()

    assert_refused(exchange(code, **changes))

    assert userinfo(answer["access_token"]).status_code == 401


def test_a_second_use_counts_after_the_code_ran_out(site):
    code = authorization_code()
    answer = exchange(code).json()

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert_refused(exchange(code))
        assert userinfo(answer["access_token"]).status_code == 401


def test_a_second_use_is_recorded_once(site):
    code = authorization_code()
    exchange(code)
    response = exchange(code)
    exchange(code)

    recorded = events()[1:]
    assert recorded == [
        event(
            application__client_id="acme-spa",
            identity_source__identifier="acme-site",
            door="token",
            way="website_qr",
            outcome="refused",
            error="authorization_code_reused",
            decision="",
            wechat_milliseconds=None,
            request_id=response["X-Request-ID"],
        )
    ]


def test_a_second_use_ends_no_other_session(site):
    browser = GuardedClient()
    first = log_in_by_browser(browser)["code"]
    kept = exchange(log_in_by_browser(browser, "acme-native")["code"], "acme-native").json()
    exchange(first)

    assert_refused(exchange(first))

    assert userinfo(kept["access_token"]).status_code == 200
    assert refresh(kept["refresh_token"], client_id="acme-native").status_code == 200


@pytest.mark.parametrize("uri", ["", "https://spa.example.com/logged-out"])
def test_an_application_that_asks_is_told_of_a_second_use(site, uri):
    Application.objects.filter(pk=site.spa.pk).update(backchannel_logout_uri=uri)
    code = authorization_code()
    exchange(code)
    exchange(code)
    exchange(code)

    told = LogoutNotice.objects.values_list("session__application__client_id", flat=True)
    assert list(told) == (["acme-spa"] if uri else [])


@pytest.mark.usefixtures("threaded_database")
def test_of_many_at_once_exactly_one_wins_and_its_tokens_are_dead(site, together, meet):
    code = authorization_code()
    meet(authorization_code_grant, "is_current", 10)

    responses = together(exchange, [code] * 10)

    assert sorted(response.status_code for response in responses) == [200] + [400] * 9
    [winner] = [response.json() for response in responses if response.status_code == 200]
    assert userinfo(winner["access_token"]).status_code == 401
    assert_refused(refresh(winner["refresh_token"], client_id="acme-spa"))
    assert Session.objects.get().end_reason == "authorization_code_reused"
    assert LoginEvent.objects.filter(error="authorization_code_reused").count() == 1

"""Giving tokens up: what ends with which token, and who may not end it (RFC 7009)."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import LogoutNotice, RefreshToken, Session
from applications.models import Application
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, exchange, post, refresh, userinfo
from tests.support.website import authorization_code, log_in_by_browser, make_site

SECRET = builders.CLIENT_SECRET
KINDS = pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
HINTS = pytest.mark.parametrize(
    "hint", [None, "access_token", "refresh_token", "id_token", "nonsense"]
)

Answer = dict[str, str]


def revoke(
    token: str | None, client_id: str = "acme-spa", *, secret: str | None = None, **changes
) -> HttpResponse:
    usual = {name: changes.pop(name) for name in ("pool",) if name in changes}
    return post(
        "revoke", {"client_id": client_id, "token": token} | changes, secret=secret, **usual
    )


@pytest.fixture
def answer(site) -> Answer:
    """The tokens of Alice's login to the public application."""
    tokens: Answer = exchange(authorization_code()).json()
    return tokens


def assert_works(answer: Answer, client_id: str = "acme-spa") -> None:
    assert userinfo(answer["access_token"]).status_code == 200
    assert refresh(answer["refresh_token"], client_id=client_id).status_code == 200


def assert_ended(answer: Answer) -> None:
    assert userinfo(answer["access_token"]).status_code == 401
    assert_refused(refresh(answer["refresh_token"], client_id="acme-spa"))


# --- Who may not ------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize(
    ("client_id", "secret"), [("acme-native", None), ("acme-web", SECRET), ("acme-machine", SECRET)]
)
def test_another_applications_token_stays(answer, kind, client_id, secret):
    assert_refused(revoke(answer[kind], client_id, secret=secret))

    assert_works(answer)


@KINDS
def test_another_pools_token_stays(answer, globex, kind):
    make_site(globex.pool, "wxsandbox000000006")

    assert revoke(answer[kind], "globex-spa", pool="globex").status_code == 200

    assert_works(answer)


@KINDS
@pytest.mark.parametrize("secret", [None, "wrong" * 8])
def test_a_confidential_application_proves_itself(site, kind, secret):
    answer = exchange(authorization_code("acme-web"), "acme-web", secret=SECRET).json()

    response = revoke(answer[kind], "acme-web", client_secret=secret)

    assert_refused(response, "invalid_client", 401)
    assert userinfo(answer["access_token"]).status_code == 200
    assert revoke(answer[kind], "acme-web", secret=SECRET).status_code == 200
    assert userinfo(answer["access_token"]).status_code == 401


@pytest.mark.parametrize("client_id", ["nobody", "globex-shop"])
def test_an_unknown_application_revokes_nothing(answer, globex, client_id):
    assert_refused(revoke(answer["refresh_token"], client_id), "invalid_client", 401)

    assert_works(answer)


def test_a_token_that_is_missing_is_asked_for(site):
    response = revoke(None)

    assert_refused(response, "invalid_request")
    assert response.json()["error_description"] == "token: is required."


# --- What isn't a token -----------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.e30", "令牌", "' OR 1=1 --", "x" * 4096])
def test_an_unknown_token_is_as_good_as_revoked(answer, token):
    response = revoke(token)

    assert (response.status_code, response.json()) == (200, {})
    assert response["Cache-Control"] == "no-store"
    assert_works(answer)


def test_an_id_token_ends_nothing(answer):
    assert revoke(answer["id_token"]).status_code == 200

    assert_works(answer)


def test_an_expired_access_token_ends_nothing(answer):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert revoke(answer["access_token"]).status_code == 200

    assert_works(answer)


# --- What ends --------------------------------------------------------------------------------


@KINDS
@HINTS
def test_a_token_ends_its_session_whatever_the_hint(answer, kind, hint):
    response = revoke(answer[kind], token_type_hint=hint)

    assert (response.status_code, response.json()) == (200, {})
    assert response["Cache-Control"] == "no-store"
    assert_ended(answer)
    session = Session.objects.get()
    assert session.ended_at is not None
    assert session.end_reason == "token_revoked"


def test_a_refresh_token_ends_its_whole_family(answer):
    later = refresh(answer["refresh_token"], client_id="acme-spa").json()

    assert revoke(answer["refresh_token"]).status_code == 200

    assert_ended(later)
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


@KINDS
def test_other_sessions_of_the_person_go_on(answer, kind):
    other = exchange(authorization_code()).json()

    revoke(answer[kind])

    assert_works(other)


@KINDS
def test_the_person_stays_signed_on_in_the_browser(site, kind):
    # The application gives its own token up; it doesn't log the person out of the others.
    browser = GuardedClient()
    answer = exchange(log_in_by_browser(browser)["code"]).json()
    other = exchange(log_in_by_browser(browser, "acme-native")["code"], "acme-native").json()

    revoke(answer[kind])

    assert_works(other, "acme-native")


@KINDS
def test_revoking_twice_is_as_good_as_once(answer, kind):
    Application.objects.update(backchannel_logout_uri="https://spa.example.com/logged-out")
    for _again in range(2):
        assert revoke(answer[kind]).status_code == 200

    assert LogoutNotice.objects.count() == 1


def test_an_application_that_is_switched_off_may_still_give_up_its_tokens(answer):
    Application.objects.filter(client_id="acme-spa").update(enabled=False)

    assert revoke(answer["refresh_token"]).status_code == 200

    assert Session.objects.get().ended_at is not None

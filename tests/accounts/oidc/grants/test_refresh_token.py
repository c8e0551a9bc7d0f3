"""Refreshing what the code flow gave; the rules for every family are in test_refresh.py."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import AuthorizationCode, RefreshToken, Session, User
from applications.models import Application, ClientSecret, LoginMethod
from tests.support import builders
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, claims_of, exchange, post, userinfo
from tests.support.website import authorization_code, log_in_by_browser

SECRET = builders.CLIENT_SECRET

Answer = dict[str, str]


def refresh(token: str, client_id: str = "acme-spa", secret: str | None = None, **changes):
    fields = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
    response: HttpResponse = post("token", fields | changes, secret=secret)
    return response


@pytest.fixture
def public(site) -> Answer:
    """The tokens of Alice's login to the public application."""
    tokens: Answer = exchange(authorization_code()).json()
    return tokens


@pytest.fixture
def confidential(site) -> Answer:
    """The tokens of Alice's login to the confidential application."""
    tokens: Answer = exchange(authorization_code("acme-web"), "acme-web", secret=SECRET).json()
    return tokens


@pytest.mark.parametrize("secret", [None, "wrong" * 8])
def test_a_confidential_applications_token_needs_its_proof(confidential, secret):
    token = confidential["refresh_token"]

    assert_refused(refresh(token, "acme-web", secret), "invalid_client", 401)

    assert refresh(token, "acme-web", SECRET).status_code == 200


def test_a_confidential_applications_token_is_none_of_a_public_ones(confidential):
    assert_refused(refresh(confidential["refresh_token"]))

    assert userinfo(confidential["access_token"]).status_code == 200


def test_a_public_application_that_became_confidential_needs_its_proof(site, public):
    # rules.md 12: without a secret only where the client authentication is none.
    ClientSecret.for_application(site.spa, SECRET).save()
    Application.objects.filter(pk=site.spa.pk).update(client_authentication="client_secret")

    assert_refused(refresh(public["refresh_token"]), "invalid_client", 401)


@pytest.mark.parametrize("client_id", ["acme-native", "acme-shop"])
def test_a_token_is_refused_to_another_application_of_the_same_browser(site, client_id):
    browser = GuardedClient()
    answer = exchange(log_in_by_browser(browser)["code"]).json()
    exchange(log_in_by_browser(browser, "acme-native")["code"], "acme-native")

    assert_refused(refresh(answer["refresh_token"], client_id))

    assert Session.objects.filter(ended_at=None).count() == 2


def test_a_machine_has_no_refresh_tokens(site, public):
    response = refresh(public["refresh_token"], "acme-machine", SECRET)

    assert_refused(response, "unauthorized_client")


def test_a_code_is_no_refresh_token(site):
    assert_refused(refresh(authorization_code()))

    assert not AuthorizationCode.objects.exclude(used_at=None).exists()


def test_the_family_is_the_codes(public):
    code, token = AuthorizationCode.objects.get(), RefreshToken.objects.get()

    assert (token.family, token.session_id) == (code.family, code.session_id)


@pytest.mark.parametrize("scope", ["phone", "openid account", "admin"])
def test_more_than_the_code_was_for_is_refused(public, scope):
    assert_refused(refresh(public["refresh_token"], scope=scope), "invalid_scope")

    assert refresh(public["refresh_token"]).status_code == 200


def test_less_than_the_code_was_for_is_given(public):
    narrow = refresh(public["refresh_token"], scope="profile").json()
    wide = refresh(narrow["refresh_token"]).json()

    assert narrow["scope"] == claims_of(narrow["access_token"])["scope"] == "profile"
    assert "id_token" not in narrow
    assert wide["scope"] == public["scope"]


@pytest.mark.parametrize(
    "change",
    [
        lambda: User.objects.update(status="suspended"),
        lambda: LoginMethod.objects.filter(application__client_id="acme-spa").delete(),
        lambda: Session.objects.update(way="mini_program"),
    ],
    ids=["user suspended", "method gone", "way not offered"],
)
def test_what_has_ended_is_not_refreshed(public, change):
    change()

    assert_refused(refresh(public["refresh_token"]))


def test_a_session_that_single_sign_on_began_is_as_old_as_the_login(site):
    browser, began = GuardedClient(), timezone.now().replace(microsecond=0)
    with time_machine.travel(began, tick=False):
        log_in_by_browser(browser)
    with time_machine.travel(began + timedelta(hours=1), tick=False):
        code = log_in_by_browser(browser, "acme-native")["code"]
        answer = exchange(code, "acme-native").json()
        refreshed = refresh(answer["refresh_token"], "acme-native").json()

    assert claims_of(refreshed["id_token"])["auth_time"] == int(began.timestamp())

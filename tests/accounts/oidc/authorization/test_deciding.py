"""Answer now, ask first, or refuse: ``prompt`` and ``max_age``, for strangers and for Alice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import BrowserSession, Session
from accounts.oidc.authorization.checking import Refused, check_request
from accounts.oidc.authorization.deciding import NextPage, after_login, answers_anybody
from applications.models import Application
from tests.support import builders
from tests.support.oidc import claims_of, exchange
from tests.support.website import answered, authorization_request, authorize, log_in_by_browser

pytestmark = pytest.mark.usefixtures("site")


@pytest.fixture
def signed_on(client):
    """Alice's browser, in which she logged in to one application."""
    log_in_by_browser(client)
    return client


@pytest.fixture
def an_hour_later(signed_on):
    hour = timedelta(hours=1)
    BrowserSession.objects.update(auth_time=F("auth_time") - hour)
    Session.objects.update(auth_time=F("auth_time") - hour)
    return signed_on


@pytest.fixture
def asking(site):
    """The application asks its people for consent."""
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)


def is_asked_to_log_in(response):
    address = response["Location"]
    return address.startswith("/login/acme/") and not address.endswith("/consent")


def test_a_stranger_is_asked_to_log_in(client):
    assert is_asked_to_log_in(authorize(client))


def test_whoever_is_signed_on_is_answered_at_once(signed_on):
    assert answered(authorize(signed_on)).keys() == {"code", "state", "iss"}


def test_none_refuses_a_stranger(client):
    assert answered(authorize(client, prompt="none"))["error"] == "login_required"


def test_none_answers_whoever_is_signed_on(signed_on):
    assert "code" in answered(authorize(signed_on, prompt="none"))


def test_none_refuses_whoever_must_be_asked_for_consent(signed_on, asking):
    assert answered(authorize(signed_on, prompt="none"))["error"] == "consent_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent", "login  login"])
def test_a_login_is_asked_for_in_spite_of_single_sign_on(signed_on, prompt):
    assert is_asked_to_log_in(authorize(signed_on, prompt=prompt))


def test_consent_is_asked_for_though_the_application_needs_none(signed_on):
    response = authorize(signed_on, prompt="consent")

    assert (response.status_code, response["Location"][-8:]) == (303, "/consent")


@pytest.mark.parametrize(("max_age", "enough"), [("0", False), ("3599", False), ("3700", True)])
def test_a_login_that_is_too_old_is_asked_for_again(an_hour_later, max_age, enough):
    response = authorize(an_hour_later, max_age=max_age)

    assert is_asked_to_log_in(response) is not enough


def test_no_age_is_young_enough_where_it_must_be_none(signed_on):
    assert is_asked_to_log_in(authorize(signed_on, max_age="0"))
    assert answered(authorize(signed_on, max_age="0", prompt="none"))["error"] == "login_required"


def test_the_token_says_when_the_person_logged_in_not_when_they_entered(an_hour_later):
    login = BrowserSession.objects.get()

    code = answered(authorize(an_hour_later, "acme-native", max_age="7200"))["code"]

    claims = claims_of(exchange(code, "acme-native").json()["id_token"])
    assert claims["auth_time"] == int(login.auth_time.timestamp())


def test_a_login_that_was_asked_for_again_counts_from_then(an_hour_later):
    told = log_in_by_browser(an_hour_later, max_age="60")

    claims = claims_of(exchange(told["code"]).json()["id_token"])
    assert claims["auth_time"] == int(
        BrowserSession.objects.latest("auth_time").auth_time.timestamp()
    )
    assert "code" in answered(authorize(an_hour_later, max_age="60", prompt="none"))


# Whether the code can be stored with the login


@pytest.mark.parametrize("prompt", [None, "login", "consent", "login consent"])
@pytest.mark.parametrize("requires_consent", [False, True])
@pytest.mark.parametrize("hinted_sub", ["", "somebody"])
def test_what_answers_anybody_answers_whoever_logs_in(
    acme, site, prompt, requires_consent, hinted_sub
):
    site.spa.requires_consent = requires_consent
    fields = authorization_request("acme-spa", prompt=prompt)
    checked = replace(check_request(acme.pool, fields), application=site.spa, hinted_sub=hinted_sub)
    people = [builders.make_user(acme.pool) for _ in range(2)]

    def step(user):
        try:
            return after_login(checked, user)
        except Refused:
            return None

    assert answers_anybody(checked) is all(step(user) == NextPage.ANSWER for user in people)

"""What arrives at the redirect URI: the state as it was sent, and who answers (RFC 9207)."""

import re
from html import unescape

import pytest

from accounts.models import AuthorizationCode
from config.kernel.encryption import token_hash
from tests.support.login_steps import log_in_on, open_login
from tests.support.pages import Page
from tests.support.website import SPA_URI, WEB_URI, answered, authorize

pytestmark = pytest.mark.usefixtures("site")

STATES = [
    "plain",
    "a&b=c#d<script>\"'",
    "code=stolen&iss=https://evil.example",
    "+ +%20%2B",
    "状态 ✓ é",
    "s" * 2000,
]
ISSUER = "http://127.0.0.1:8000/oidc/acme"


def form_of(response):
    """Return where the page's form goes, and what it takes along."""
    assert response.status_code == 200
    (form,) = Page(response).forms
    assert form.method == "post"
    return form.action, form.fields


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("mode", "mark"), [(None, "?"), ("query", "?"), ("fragment", "#")])
def test_the_state_comes_back_character_by_character(client, state, mode, mark):
    page = open_login(client, state=state, response_mode=mode)

    response = log_in_on(client, page)

    told = answered(response)
    assert response["Location"].startswith(f"{SPA_URI}{mark}code=")
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == (state, ISSUER)


@pytest.mark.parametrize("state", STATES)
def test_the_state_comes_back_in_a_form_too(client, state):
    page = open_login(client, state=state, response_mode="form_post")

    action, fields = form_of(log_in_on(client, page))

    assert action == SPA_URI
    assert fields.keys() == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == (state, ISSUER)


@pytest.mark.parametrize("state", STATES)
def test_nothing_of_the_state_is_markup(client, state):
    response = authorize(client, state=state, response_mode="form_post", prompt="none")

    html = response.content.decode()
    assert re.findall("<script", html) == ["<script"]  # our own
    assert unescape(html).count(state) == 1


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_an_error_says_who_answers_as_well(client, mode):
    told = answered(authorize(client, prompt="none", response_mode=mode))

    assert told == {
        "error": "login_required",
        "error_description": "The person has to log in.",
        "state": "a state",
        "iss": ISSUER,
    }


def test_an_error_in_a_form_says_who_answers_as_well(client):
    action, fields = form_of(authorize(client, prompt="none", response_mode="form_post"))

    assert (action, fields["error"], fields["iss"]) == (SPA_URI, "login_required", ISSUER)


def test_no_state_is_answered_by_none(client):
    told = answered(authorize(client, prompt="none", state=None))

    assert told.keys() == {"error", "error_description", "iss"}


def test_a_redirect_uris_own_query_stays(client):
    response = authorize(client, "acme-web", prompt="none")

    assert response["Location"].startswith(f"{WEB_URI}&error=login_required&")


def test_a_code_is_stored_as_a_hash_with_what_it_was_asked_for(client):
    page = open_login(client, nonce="n-0S6")

    code = answered(log_in_on(client, page))["code"]

    stored = AuthorizationCode.objects.get(code_hash=token_hash(code))
    assert len(code) == 43
    assert (stored.redirect_uri, stored.nonce) == (SPA_URI, "n-0S6")
    assert stored.scope == "openid profile offline_access"
    assert (stored.expires_at - stored.session.auth_time).total_seconds() == pytest.approx(
        60, abs=1
    )


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_an_answer_is_kept_by_nobody_and_named_to_nobody(client, mode):
    page = open_login(client, response_mode=mode)

    response = log_in_on(client, page)

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"

"""The attacks of RFC 9700 §4 and OpenID Connect Core §16, each tried at the running provider.

Mallory is the attacker, with a browser, an application and a pool of her own (Globex). Algorithm
confusion, injected kids, the keys of another pool and forged logouts: test_attacks_by_forgery.py.
"""

import pytest

from accounts.models import BrowserSession
from applications.models import PostLogoutRedirectURI
from tests.support.builders import CLIENT_SECRET
from tests.support.client import GuardedClient
from tests.support.login_steps import assert_gone, come_back, confirmed, open_login, set_out
from tests.support.oidc import assert_refused, bearer, exchange, post, userinfo
from tests.support.pages import see
from tests.support.website import (
    SPA_URI,
    VERIFIER,
    Site,
    answered,
    authorization_code,
    authorize,
    log_in_by_browser,
    make_site,
)

ISSUER = "http://127.0.0.1:8000/oidc/acme"
EVIL = "https://evil.example/callback"


@pytest.fixture
def mallory() -> GuardedClient:
    """Mallory's browser."""
    return GuardedClient()


@pytest.fixture
def mallorys(site: Site, globex) -> Site:
    """Globex's website login, beside Acme's."""
    return make_site(globex.pool)


def is_signed_on(browser: GuardedClient) -> bool:
    return "code" in answered(authorize(browser, prompt="none"))


# --- Mix-up (RFC 9700 §4.4) -------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{}, {"prompt": "none"}, {"response_type": "token"}])
def test_mix_up_every_answer_names_its_issuer(site, client, changes):
    answer = log_in_by_browser(client, **changes)

    assert answer["iss"] == ISSUER


def test_mix_up_a_code_is_worth_nothing_at_another_issuer(site, mallorys):
    code = authorization_code()

    assert_refused(exchange(code, "globex-spa", pool="globex"), "invalid_grant")
    assert_refused(exchange(code, pool="globex"), "invalid_client", 401)
    assert exchange(code).status_code == 200


# --- Code injection (RFC 9700 §4.5) -----------------------------------------------------------


@pytest.mark.parametrize("verifier", [None, "m" * 43])
def test_code_injection_a_stolen_code_fits_no_other_verifier(site, verifier):
    stolen = authorization_code()

    error = "invalid_grant" if verifier else "invalid_request"
    assert_refused(exchange(stolen, code_verifier=verifier), error)


def test_code_injection_a_stolen_code_is_worth_nothing_to_another_application(site):
    stolen = authorization_code("acme-spa")

    injected = exchange(stolen, "acme-web", secret=CLIENT_SECRET, redirect_uri=SPA_URI)

    assert_refused(injected, "invalid_grant")


def test_code_replay_ends_what_the_code_gave(site):
    code = authorization_code()
    access_token = exchange(code).json()["access_token"]

    assert_refused(exchange(code), "invalid_grant")
    assert userinfo(access_token).status_code == 401


# --- PKCE downgrade (RFC 9700 §4.8) -----------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": VERIFIER, "code_challenge_method": None},
    ],
)
def test_pkce_downgrade_a_request_with_less_is_refused(site, client, changes):
    assert answered(authorize(client, **changes))["error"] == "invalid_request"


def test_pkce_downgrade_a_verifier_without_its_challenge_is_refused(site):
    site.web.pkce = "optional"
    site.web.save()
    stripped = authorization_code("acme-web", code_challenge=None, code_challenge_method=None)

    assert_refused(exchange(stripped, "acme-web", secret=CLIENT_SECRET), "invalid_request")


# --- Open redirectors (RFC 9700 §4.1, §4.11) --------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        None,
        EVIL,
        f"{SPA_URI}/../..",
        f"{SPA_URI}?next={EVIL}",
        f"{SPA_URI}#",
        SPA_URI.upper(),
        SPA_URI.replace("https", "http"),
        "https://spa.example.com@evil.example/callback",
        "https://spa.example.com.evil.example/callback",
        "//spa.example.com/callback",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("changes", [{}, {"prompt": "none"}, {"response_type": "token"}])
def test_open_redirector_nobody_is_sent_where_nothing_is_registered(site, client, uri, changes):
    response = authorize(client, redirect_uri=uri, **changes)

    assert response.status_code == 400
    assert "Location" not in response


def test_open_redirector_a_logout_leads_nowhere_else_either(site, client):
    PostLogoutRedirectURI.objects.create(application=site.spa, uri="https://spa.example.com/bye")
    id_token = exchange(log_in_by_browser(client)["code"]).json()["id_token"]
    asked = {"id_token_hint": id_token, "post_logout_redirect_uri": EVIL}

    response = client.get("/oidc/acme/logout", asked)

    assert response.status_code == 400
    assert "Location" not in response
    assert is_signed_on(client)


# --- Login CSRF and fixation (RFC 9700 §4.7) --------------------------------------------------


def test_login_csrf_mallorys_way_back_logs_nobody_in_as_mallory(site, client, mallory):
    at_wechat = set_out(mallory, open_login(mallory))

    in_alices_browser = client.get(
        at_wechat.callback, {"code": confirmed("bob"), "state": at_wechat.state}
    )

    assert_gone(in_alices_browser)
    assert in_alices_browser.cookies.keys() <= {"csrftoken"}
    assert not BrowserSession.objects.exists()


def test_state_fixation_a_state_is_good_once(site, client):
    at_wechat = set_out(client, open_login(client))
    come_back(client, at_wechat)

    assert_gone(come_back(client, at_wechat, "bob"))


def test_state_fixation_a_page_goes_on_in_its_own_browser_alone(site, client, mallory):
    page = open_login(mallory)
    open_login(client)

    assert_gone(client.get(page))


def test_session_fixation_a_login_has_a_new_secret(site, client):
    client.cookies["unionpass_login_acme"] = "a secret that mallory planted"

    log_in_by_browser(client)

    assert client.cookies["unionpass_login_acme"].value != "a secret that mallory planted"
    planted = GuardedClient()
    planted.cookies["unionpass_login_acme"] = "a secret that mallory planted"
    assert answered(authorize(planted, prompt="none"))["error"] == "login_required"


def test_csrf_another_site_can_neither_agree_nor_sign_off(site):
    careful = GuardedClient(enforce_csrf_checks=True)
    site.spa.requires_consent = True
    site.spa.save()
    at_wechat = set_out(careful, open_login(careful))
    consent_page = come_back(careful, at_wechat)["Location"]

    assert careful.post(consent_page, {"decision": "agree"}).status_code == 403
    assert careful.post("/login/acme/logout").status_code == 403


# --- Other pools' things ----------------------------------------------------------------------


def test_cross_pool_tokens_open_nothing(site, mallorys):
    tokens = exchange(authorization_code()).json()

    assert userinfo(tokens["access_token"], pool="globex").status_code == 401
    for name in ("access_token", "refresh_token"):
        asked = {"client_id": "globex-web", "token": tokens[name]}
        told = post("introspect", asked, pool="globex", secret=CLIENT_SECRET)
        assert told.json() == {"active": False}
        assert post("revoke", asked, pool="globex", secret=CLIENT_SECRET).status_code == 200
    assert userinfo(tokens["access_token"]).status_code == 200


def test_cross_pool_a_login_in_one_pool_is_none_in_the_other(mallorys, client):
    log_in_by_browser(client)
    client.cookies["unionpass_login_globex"] = client.cookies["unionpass_login_acme"].value

    answer = authorize(client, "globex-spa", pool="globex", redirect_uri=SPA_URI, prompt="none")

    assert answered(answer)["error"] == "login_required"


def test_cross_pool_an_application_is_unknown_elsewhere(mallorys, client):
    response = authorize(client, "acme-spa", pool="globex")

    assert response.status_code == 400
    assert "Location" not in response


# --- What a browser could be made to do or to tell (RFC 9700 §4.2, §4.3, §4.12, §4.16) --------


def test_clickjacking_no_page_is_shown_within_another(site, client):
    site.spa.requires_consent = True
    site.spa.save()
    login = open_login(client)
    consent = come_back(client, set_out(client, login))["Location"]
    unanswerable = "/oidc/acme/authorize"

    for page in (login, consent, "/oidc/acme/logout", "/login/acme/device", unanswerable):
        response = client.get(page)
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"


def test_referer_leak_neither_page_nor_answer_tells_others_its_address(site, client):
    login = open_login(client)
    page = client.get(login)
    answer = come_back(client, set_out(client, login))

    assert page["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert answer["Referrer-Policy"] == "no-referrer"


def test_browser_history_form_post_keeps_the_code_out_of_addresses(site, client):
    page = open_login(client, response_mode="form_post")

    answer = come_back(client, set_out(client, page))

    assert "Location" not in answer
    assert "no-store" in answer["Cache-Control"]
    assert 'name="code"' in answer.content.decode()


def test_307_redirect_what_was_posted_here_is_not_posted_on(site, client):
    site.spa.requires_consent = True
    site.spa.save()
    page = come_back(client, set_out(client, open_login(client)))["Location"]

    response = client.post(page, see(client, page).form.fields | {"decision": "agree"})

    assert response.status_code == 303
    assert response["Location"].startswith(f"{SPA_URI}?code=")


def test_an_application_cant_pass_for_a_person(site):
    asked = {"grant_type": "client_credentials", "client_id": "acme-machine"}
    token = post("token", asked, secret=CLIENT_SECRET).json()["access_token"]

    assert userinfo(token).status_code == 401
    assert GuardedClient().get("/api/v1/me", headers=bearer(token)).status_code == 401

"""Basic OP: the modules of ``oidcc-basic-certification-test-plan``, in the plan's order.

Each test does what the module of its name does, and demands what that demands; where the suite
would only warn, the test says what we do. docs/openid-connect-clauses.md counts them.
"""

import json
from base64 import urlsafe_b64encode

import jwt
import pytest

from tests.certification.relying_party import FORM
from tests.support.client import GuardedClient
from tests.support.website import confirm_in_wechat

pytestmark = pytest.mark.rsa

STANDARD_SCOPES = "openid profile email address phone"


def test_oidcc_server(party):
    login = party.log_in()

    assert login.saw_page
    assert party.userinfo(login) == {"sub": login.claims["sub"]}


def test_oidcc_response_type_missing(party):
    asking = party.ask(response_type=None)

    answer = party.answer(party.send(asking), asking)

    assert answer["error"] == "invalid_request"
    assert "code" not in answer


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_oidcc_idtoken_signature(party, site, algorithm):
    site.web.signing_algorithm = algorithm
    site.web.save()

    login = party.log_in()

    assert jwt.get_unverified_header(login.tokens["id_token"]) == {
        "alg": algorithm,
        "kid": next(key["kid"] for key in party.published_keys() if key["alg"] == algorithm),
        "typ": "JWT",
    }


def test_oidcc_idtoken_unsigned(party):
    # Optional; the suite skips it where the metadata doesn't offer it.
    assert "none" not in party.metadata["id_token_signing_alg_values_supported"]


def test_oidcc_userinfo_get(party):
    login = party.log_in(scope="openid profile")

    assert "updated_at" in party.userinfo(login)


def test_oidcc_userinfo_post_header(party):
    login = party.log_in()

    response = GuardedClient().post(
        "/oidc/acme/userinfo", headers={"Authorization": f"Bearer {login.access_token}"}
    )

    assert response.status_code == 200
    party.claims_of(response, login)


def test_oidcc_userinfo_post_body(party):
    login = party.log_in()

    response = GuardedClient().post(
        "/oidc/acme/userinfo", f"access_token={login.access_token}", content_type=FORM
    )

    assert response.status_code == 200
    party.claims_of(response, login)


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(party):
    assert "nonce" not in party.log_in(nonce=None).claims


def test_oidcc_scope_profile(party, full_profile):
    login = party.log_in(scope="openid profile")
    full_profile()

    claims = party.userinfo(login)

    assert claims.keys() == {"sub", "nickname", "picture", "updated_at"}
    assert isinstance(claims["updated_at"], int)


def test_oidcc_scope_email(party, full_profile):
    login = party.log_in(scope="openid email")
    full_profile()

    assert party.userinfo(login) == {
        "sub": login.claims["sub"],
        "email": "alice@example.com",
        "email_verified": True,
    }


def test_oidcc_scope_address(party):
    # The suite skips it where the metadata doesn't offer it; who asks nonetheless is logged in.
    assert "address" not in party.metadata["scopes_supported"]

    login = party.log_in(scope="openid address")

    assert login.tokens["scope"] == "openid"


def test_oidcc_scope_phone(party, full_profile):
    login = party.log_in(scope="openid phone")
    full_profile()

    assert party.userinfo(login) == {
        "sub": login.claims["sub"],
        "phone_number": "+8613800138000",
        "phone_number_verified": True,
    }


def test_oidcc_scope_all(party, full_profile):
    login = party.log_in(scope=STANDARD_SCOPES)
    full_profile()

    assert login.tokens["scope"] == "openid profile phone email"
    assert party.userinfo(login).keys() >= {"nickname", "email", "phone_number"}


def test_oidcc_ensure_other_scope_order_succeeds(party):
    first, second = party.log_in(scope="openid email"), party.log_in(scope="email openid")

    assert first.tokens["scope"] == second.tokens["scope"]


def test_oidcc_display_page(party):
    assert party.log_in(display="page").saw_page


def test_oidcc_display_popup(party):
    assert party.log_in(display="popup").saw_page


def test_oidcc_prompt_login(party, after):
    first = party.log_in()
    with after(2):
        second = party.log_in(prompt="login")

    assert second.saw_page
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] > first.claims["auth_time"]


def test_oidcc_prompt_none_not_logged_in(party):
    asking = party.ask(prompt="none")

    answer = party.answer(party.send(asking), asking)

    assert answer["error"] == "login_required"
    assert "code" not in answer


def test_oidcc_prompt_none_logged_in(party, after):
    first = party.log_in()
    with after(2):
        second = party.log_in(prompt="none")

    assert not second.saw_page
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] == first.claims["auth_time"]


def test_oidcc_max_age_1(party, after):
    first = party.log_in()
    with after(2):
        second = party.log_in(max_age="1")

    assert second.saw_page
    assert second.claims["auth_time"] > first.claims["auth_time"]
    assert 0 <= second.claims["iat"] - second.claims["auth_time"] <= 1


def test_oidcc_max_age_10000(party, after):
    first = party.log_in(max_age="15000")
    with after(2):
        second = party.log_in(max_age="10000")

    assert not second.saw_page
    assert second.claims["auth_time"] == first.claims["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(party):
    party.log_in(extra="foobar")


def test_oidcc_id_token_hint(party):
    first = party.log_in()

    second = party.log_in(prompt="none", id_token_hint=first.tokens["id_token"])

    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_login_hint(party):
    party.log_in(login_hint="buffy@example.com")


def test_oidcc_ui_locales(party):
    party.log_in(ui_locales="se")


def test_oidcc_claims_locales(party):
    party.log_in(claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(party):
    # The suite warns where no acr comes back: there is one level here, and none is claimed.
    assert "acr" not in party.log_in(acr_values="1 2").claims


def test_oidcc_codereuse(party):
    login = party.log_in()

    again = party.exchange(login.code, login.asking)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_oidcc_codereuse_30seconds(party, after):
    login = party.log_in()
    with after(30):
        again = party.exchange(login.code, login.asking)
        revoked = party.fetch(
            party.metadata["userinfo_endpoint"], Authorization=f"Bearer {login.access_token}"
        )

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (revoked.status_code, revoked.json()["error"]) == (401, "invalid_token")


def test_oidcc_ensure_registered_redirect_uri(party):
    response = party.send(party.ask(redirect_uri="https://web.example.com/callback/more"))

    assert response.status_code == 400
    assert "Location" not in response


def test_oidcc_ensure_post_request_succeeds(party):
    assert party.log_in("post").saw_page


def test_oidcc_server_client_secret_post(party):
    party.authentication = "client_secret_post"

    party.log_in()


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(party):
    asking = party.ask(request_uri="https://suite.example.com/request.jwt#1234")

    answer = party.answer(party.send(asking), asking)

    assert answer["error"] == "request_uri_not_supported"


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(party):
    asking = party.ask()
    asking.parameters["request"] = _unsigned(asking.parameters)

    answer = party.answer(party.send(asking), asking)

    assert answer["error"] == "request_not_supported"


def test_oidcc_claims_essential(party, full_profile):
    # The suite warns where the claim doesn't come back; people have nicknames here, no names.
    login = party.log_in(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))
    full_profile()

    assert party.metadata["claims_parameter_supported"] is False
    assert party.userinfo(login).keys() == {"sub"}


def test_oidcc_ensure_request_object_with_redirect_uri(party):
    # A provider that passed over the request object would send its answer to the outer address.
    asking = party.ask()
    inner = asking.parameters | {"redirect_uri": "https://web.example.com/callback/inner"}
    asking.parameters["request"] = _unsigned(inner)

    answer = party.answer(party.send(asking), asking)

    assert answer["error"] == "request_not_supported"
    assert "code" not in answer


def test_oidcc_refresh_token(party, site, after):
    login = party.log_in(scope="openid offline_access")
    with after(2):
        refreshed = _refresh(party, login.tokens["refresh_token"])
        claims = party.read_id_token(refreshed.json(), nonce=None)

    tokens = refreshed.json()
    assert refreshed["Cache-Control"] == "no-store"
    assert tokens["access_token"] != login.access_token
    assert tokens["refresh_token"] != login.tokens["refresh_token"]
    for name in ("iss", "sub", "aud", "auth_time"):
        assert claims[name] == login.claims[name]
    assert claims["iat"] > login.claims["iat"]

    party.client_id, party.client_secret = site.spa.client_id, ""
    stolen = _refresh(party, tokens["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_oidcc_ensure_request_with_valid_pkce_succeeds(party):
    assert party.metadata["code_challenge_methods_supported"] == ["S256"]

    asking = party.ask()
    response = confirm_in_wechat(party.browser, party.send(asking)["Location"])
    code = party.answer(response, asking)["code"]

    assert party.exchange(code, asking).status_code == 200


def test_the_suite_itself_sends_a_nonce_and_no_challenge_which_an_application_may_allow(
    party, site
):
    site.web.pkce = "optional"
    site.web.save()
    asking = party.ask(code_challenge=None, code_challenge_method=None)
    response = confirm_in_wechat(party.browser, party.send(asking)["Location"])

    answered = party.post_to_token_endpoint(
        grant_type="authorization_code",
        code=party.answer(response, asking)["code"],
        redirect_uri=party.redirect_uri,
    )

    assert party.read_id_token(answered.json(), nonce=asking.parameters["nonce"])


def _refresh(party, refresh_token):
    return party.post_to_token_endpoint(grant_type="refresh_token", refresh_token=refresh_token)


def _unsigned(parameters):
    parts = ({"alg": "none"}, parameters)
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])

"""Which authorization requests are answered, and which never leave our page."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from accounts.models import AuthorizationRequest
from applications.models import Application, RedirectURI
from tests.support import builders
from tests.support.website import (
    SCHEME_URI,
    SITE_APP_ID,
    SPA_URI,
    answered,
    authorization_request,
    authorize,
    make_site,
)

pytestmark = pytest.mark.usefixtures("site")

NOT_OURS = "isn't registered for this application"


def assert_stays(response, text):
    """Assert that a request is refused on our own page and leads nowhere."""
    assert response.status_code == 400
    assert text in response.content.decode().replace("&#x27;", "'")
    assert "Location" not in response
    assert 'href="http' not in response.content.decode()
    assert not AuthorizationRequest.objects.exists()


def assert_told(response, error, named="", uri=SPA_URI):
    """Assert that the application hears of the refusal, and from whom it comes."""
    told = answered(response)
    assert response["Location"].startswith(f"{uri}?")
    assert told.pop("error") == error
    assert named in told.pop("error_description")
    assert told == {"state": "a state", "iss": "http://127.0.0.1:8000/oidc/acme"}
    assert not AuthorizationRequest.objects.exists()


def test_a_good_request_goes_on_to_the_login_page(client):
    response = authorize(client)

    assert response.status_code == 303
    assert response["Location"].startswith("/login/acme/")


@pytest.mark.parametrize("client_id", [None, "", "acme-other", "ACME-SPA", "acme-spa ", "' OR 1=1"])
def test_an_application_that_nobody_knows_is_refused_on_our_page(client, client_id):
    response = authorize(client, redirect_uri="https://evil.example/", client_id=client_id)

    assert_stays(response, "this user pool has no such application")


def test_another_pools_application_is_unknown(client, globex):
    make_site(globex.pool, "wxsandbox000000006")

    response = authorize(client, "globex-spa", redirect_uri=SPA_URI)

    assert_stays(response, "this user pool has no such application")


def test_an_unknown_pool_has_no_endpoint(client):
    assert authorize(client, pool="nowhere").status_code == 404


def test_a_disabled_application_is_refused_on_our_page(client, site):
    Application.objects.filter(pk=site.spa.pk).update(enabled=False)

    assert_stays(authorize(client), "switched off in the console")


@pytest.mark.parametrize("kind", ["machine", "mini_program"])
def test_an_application_that_no_browser_logs_in_to_has_no_such_flow(client, acme, kind):
    application = builders.make_application(acme.pool, client_id="acme-none", type=kind)

    refused = authorize(client, "acme-none", redirect_uri=SPA_URI)
    RedirectURI.objects.create(application=application, uri=SPA_URI)
    told = authorize(client, "acme-none", redirect_uri=SPA_URI)

    assert_stays(refused, NOT_OURS)
    assert_told(told, "unauthorized_client")


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://evil.example/callback",
        "//evil.example/callback",
        r"https:\\evil.example",
        "/callback",
        "callback",
        "https://spa.example.com@evil.example/callback",
        "https://evil.example@spa.example.com/callback",
        "https://user:pass@spa.example.com/callback",
        r"https://evil.example\@spa.example.com/callback",
        r"https://spa.example.com\.evil.example/callback",
        r"https://spa.example.com\callback",
        "https://spa.example.com.evil.example/callback",
        "https://spa.example.com/callback.evil.example",
        "https://spa.example.com/callback/",
        "https://spa.example.com/callback/more",
        "https://spa.example.com/callback/../evil",
        "https://spa.example.com/evil/../callback",
        "https://spa.example.com/./callback",
        "https://spa.example.com//callback",
        "https://spa.example.com/%2e%2e/callback",
        "https://spa.example.com/call%62ack",
        "https://spa.example.com/callback%00",
        "https://spa.example.com/callback%0d%0aLocation:https://evil.example",
        "https://spa.example.com/CALLBACK",
        "https://SPA.example.com/callback",
        "HTTPS://spa.example.com/callback",
        "http://spa.example.com/callback",
        "https://spa.example.com./callback",
        "https://spa.example.com:443/callback",
        "https://spa.example.com:8443/callback",
        "https://spa.example.com/callback?",
        "https://spa.example.com/callback?next=https://evil.example",
        "https://spa.example.com/callback#",
        "https://spa.example.com/callback#evil",
        "https://spa.example.com/callback;evil",
        " https://spa.example.com/callback",
        "https://spa.example.com/callback ",
        "https://spa.example.com/call",
        "https://spa.example.com",
        "https://spа.example.com/callback",  # noqa: RUF001 - a Cyrillic letter
        "https:／／spa.example.com／callback",  # noqa: RUF001 - full-width slashes
        "https://spa。example。com/callback",
        "javascript:alert(1)//https://spa.example.com/callback",
        "data:text/html,<script>alert(1)</script>",
        "https://web.example.com/callback?from=login",
        SCHEME_URI,
    ],
)
def test_a_redirect_uri_must_be_the_registered_one_in_every_character(client, uri):
    response = authorize(client, redirect_uri=uri)

    assert_stays(response, NOT_OURS)


LOOPBACK = "http://127.0.0.1/callback"


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (LOOPBACK, True),
        ("http://127.0.0.1:1/callback", True),
        ("http://127.0.0.1:65535/callback", True),
        ("http://127.0.0.1:8080/callback/more", False),
        ("http://127.0.0.1:8080/callback?x=1", False),
        ("http://127.0.0.1:8080@evil.example/callback", False),
        ("http://127.0.0.1:8080:80/callback", False),
        ("http://127.0.0.1:80a/callback", False),
        ("http://127.0.0.1:-1/callback", False),
        ("http://127.0.0.1:８０/callback", False),  # noqa: RUF001 - full-width digits
        ("http://127.0.0.1.evil.example/callback", False),
        ("http://127.0.0.1.evil.example:8080/callback", False),
        ("http://127.0.0.2:8080/callback", False),
        ("http://127.1:8080/callback", False),
        ("http://2130706433/callback", False),
        ("http://localhost:8080/callback", False),
        ("http://[::1]:8080/callback", False),
        ("https://127.0.0.1:8080/callback", False),
        ("http://user@127.0.0.1:8080/callback", False),
        ("http://evil.example/http://127.0.0.1:8080/callback", False),
        ("com.example.app:8080/callback", False),
    ],
)
def test_a_native_application_may_choose_its_port_on_loopback_and_nothing_else(
    client, site, uri, good
):
    RedirectURI.objects.create(application=site.native, uri=LOOPBACK)

    response = authorize(client, "acme-native", redirect_uri=uri)

    if good:
        assert response["Location"].startswith("/login/acme/")
    else:
        assert_stays(response, NOT_OURS)


def test_no_other_application_may_choose_its_port(client, site):
    RedirectURI.objects.create(application=site.spa, uri=LOOPBACK)

    assert_stays(authorize(client, redirect_uri="http://127.0.0.1:8080/callback"), NOT_OURS)


@pytest.mark.parametrize("escape", ["\n", "\r\n", "\t", "\x00", "\x7f", "\u2028", "\u202e"])
def test_a_redirect_uri_with_a_control_character_is_no_text(client, escape):
    response = authorize(client, redirect_uri=f"{SPA_URI}{escape}")

    assert_stays(response, "holds characters that aren't text")


def test_whatever_was_registered_goes_out_as_it_was_written(client, site):
    odd = "https://spa.example.com/cb/%7Euser/?a=%26&b=1+2&c=(x)'y'"
    RedirectURI.objects.create(application=site.spa, uri=odd)

    response = authorize(client, redirect_uri=odd, prompt="none")

    assert response["Location"].startswith(f"{odd}&error=login_required&")


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"response_type": None}, "invalid_request", "response_type"),
        ({"response_type": "token"}, "unsupported_response_type", "response_type"),
        ({"response_type": "code token"}, "unsupported_response_type", "response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type", "response_type"),
        ({"response_type": "none"}, "unsupported_response_type", "response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type", "response_type"),
        ({"response_mode": "jwt"}, "invalid_request", "response_mode"),
        ({"response_mode": "web_message"}, "invalid_request", "response_mode"),
        ({"code_challenge": None}, "invalid_request", ""),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request", "PKCE"),
        ({"code_challenge_method": None}, "invalid_request", "S256"),
        ({"code_challenge_method": "plain"}, "invalid_request", ""),
        ({"code_challenge_method": "s256"}, "invalid_request", ""),
        ({"code_challenge": "a" * 42}, "invalid_request", ""),
        ({"code_challenge": "a" * 129}, "invalid_request", ""),
        ({"code_challenge": "!" * 43}, "invalid_request", ""),
        ({"nonce": "n" * 513}, "invalid_request", "nonce"),
        *(({"scope": scope}, "invalid_scope", "scope") for scope in ("fly", "OPENID fly", " ")),
        ({"prompt": "create"}, "invalid_request", "prompt"),
        ({"prompt": "none login"}, "invalid_request", "prompt"),
        ({"prompt": "none consent"}, "invalid_request", "prompt"),
        ({"prompt": "LOGIN"}, "invalid_request", "prompt"),
        ({"max_age": "-1"}, "invalid_request", "max_age"),
        ({"max_age": "1.5"}, "invalid_request", "max_age"),
        ({"max_age": "soon"}, "invalid_request", "max_age"),
        ({"max_age": "１０"}, "invalid_request", "max_age"),  # noqa: RUF001
        ({"max_age": "9" * 12}, "invalid_request", "max_age"),
        ({"max_age": "9" * 4000}, "invalid_request", "max_age"),
        ({"max_age": "0" * 12 + "9" * 20}, "invalid_request", "max_age"),
        ({"request": "e30.e30."}, "request_not_supported", "request"),
        ({"registration": "{}"}, "registration_not_supported", "registration"),
        ({"request_uri": "https://spa.example.com/r"}, "request_uri_not_supported", "request_uri"),
    ],
)
def test_the_application_is_told_what_is_wrong(client, changes, error, named):
    assert_told(authorize(client, **changes), error, named)


def test_an_application_hears_of_a_refusal_in_the_mode_it_asked_for(client):
    response = authorize(client, response_mode="fragment", response_type="token")

    assert response["Location"].startswith(f"{SPA_URI}#error=unsupported_response_type&")


def test_a_form_can_not_be_posted_to_a_private_use_scheme(client):
    response = authorize(client, "acme-native", redirect_uri=SCHEME_URI, response_mode="form_post")

    assert_told(response, "invalid_request", "response_mode", SCHEME_URI)


def test_pkce_may_be_left_out_where_that_is_allowed_and_a_nonce_is_sent(client, site):
    Application.objects.filter(pk=site.web.pk).update(pkce="optional")
    without = {"code_challenge": None, "code_challenge_method": None}

    with_nonce = authorize(client, "acme-web", **without)
    without_nonce = authorize(client, "acme-web", **without, nonce=None)
    challenged = authorize(client, "acme-web", nonce=None)

    assert with_nonce["Location"].startswith("/login/acme/")
    assert challenged["Location"].startswith("/login/acme/")
    told = answered(without_nonce)
    assert (told["error"], told["from"]) == ("invalid_request", "login")
    assert "nonce" in told["error_description"]


def test_a_public_application_never_goes_without_pkce(client, site):
    Application.objects.filter(pk=site.spa.pk).update(pkce="optional")

    response = authorize(client, code_challenge=None, code_challenge_method=None)

    assert_told(response, "invalid_request", "PKCE")


@pytest.mark.parametrize(
    "changes",
    [
        {"claims": '{"id_token": {"acr": {"essential": true}}}'},
        {"acr_values": "urn:mace:incommon:iap:gold"},
        {"display": "popup"},
        {"login_hint": "alice@example.com"},
        {"claims_locales": "zh"},
        {"resource": "https://api.example.com/"},
        {"utm_source": "<script>"},
        {"scope": "openid fly"},
        {"scope": None},
        {"state": None},
        {"nonce": None},
        {"max_age": "0"},
        {"max_age": "315360000"},
        {"prompt": "login consent select_account"},
        {"ui_locales": "tlh xx-XX"},
        {"ui_locales": "x" * 4000},
        {"ui_locales": f"zh-{'x' * 600}"},
        {"code_challenge": "a" * 43},
    ],
)
def test_what_is_unknown_or_absent_is_no_obstacle(client, changes):
    response = authorize(client, **changes)

    assert response["Location"].startswith("/login/acme/")
    assert client.get(response["Location"]).status_code == 200


def test_a_request_may_be_posted_from_another_site(client):
    strict = type(client)(enforce_csrf_checks=True)

    response = strict.post("/oidc/acme/authorize", authorization_request() | {"x": "y"})

    assert response.status_code == 303
    assert urlsplit(response["Location"]).path == "/oidc/acme/authorize"
    assert dict(parse_qsl(urlsplit(response["Location"]).query)) == authorization_request()
    page = strict.get(response["Location"])
    assert strict.get(page["Location"]).status_code == 200


@pytest.mark.parametrize("name", ["request", "request_uri", "registration"])
def test_what_is_not_supported_is_refused_in_a_form_as_well(client, name):
    response = client.post("/oidc/acme/authorize", authorization_request() | {name: "x"})

    assert_told(client.get(response["Location"]), f"{name}_not_supported")


def test_a_posts_query_counts_for_nothing(client):
    response = client.post("/oidc/acme/authorize?client_id=acme-spa")

    assert response["Location"] == "/oidc/acme/authorize?"
    assert_stays(client.get(response["Location"]), "this user pool has no such application")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/oidc/acme/authorize").status_code == 405


def test_a_request_is_read_again_before_it_is_answered(client, site):
    """The redirect URI may have been taken away while the person was at WeChat."""
    page = authorize(client)["Location"]
    RedirectURI.objects.filter(application=site.spa).delete()

    response = client.post(f"{page}/cancel")

    assert response.status_code == 400
    assert "Location" not in response
    assert SITE_APP_ID not in response.content.decode()

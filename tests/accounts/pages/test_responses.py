"""What every page of a login has in common: its headers, its language, and what it never says."""

import re
from urllib.parse import unquote

import pytest
from django.conf import settings as current

from applications.models import Application, PostLogoutRedirectURI
from identity_sources.models import IdentitySource
from tests.support.client import GuardedClient
from tests.support.login_steps import come_back, decide, log_in_on, open_login, set_out
from tests.support.oidc import exchange, post
from tests.support.pages import Page
from tests.support.website import SCHEME_URI, authorize, log_in_by_browser

pytestmark = pytest.mark.usefixtures("site")

OUTWARDS = {"'self'", "https:", "http:"}


def log_in(client, site):
    return client.get(open_login(client))


def consent(client, site):
    Application.objects.filter(pk=site.spa.pk).update(requires_consent=True)
    return client.get(log_in_on(client, open_login(client))["Location"])


def bind(client, site):
    IdentitySource.objects.filter(pk=site.source.pk).update(association="ask")
    return client.get(log_in_on(client, open_login(client))["Location"])


def device_code(client, site):
    return client.get("/login/acme/device")


def device_confirm(client, site):
    log_in_by_browser(client)
    code = post("device_authorization", {"client_id": "acme-native"}).json()["user_code"]
    return client.get(client.post("/login/acme/device", {"user_code": code})["Location"])


def log_out(client, site):
    log_in_by_browser(client)
    place = {"client_id": "acme-spa", "post_logout_redirect_uri": "https://spa.example.com/bye"}
    PostLogoutRedirectURI.objects.create(
        application=site.spa, uri=place["post_logout_redirect_uri"]
    )
    return client.get("/oidc/acme/logout", place)


def logged_out(client, site):
    return client.get("/oidc/acme/logout")


def form_post(client, site):
    return authorize(client, prompt="none", response_mode="form_post")


def refusal(client, site):
    return authorize(client, redirect_uri="https://evil.example/")


def gone(client, site):
    return client.get("/login/acme/nothing")


PAGES = [
    log_in,
    consent,
    bind,
    device_code,
    device_confirm,
    log_out,
    logged_out,
    form_post,
    refusal,
    gone,
]
LEADING_OUT = {log_in, consent, log_out, form_post}


def policy_of(response):
    """Return the directives of a page's content security policy."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";") if part]
    return {name: set(values) for name, *values in parts}


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_framed_kept_or_told_of(client, site, page):
    response = page(client, site)

    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert response["X-Content-Type-Options"] == "nosniff"
    assert '<meta name="robots" content="noindex">' in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_runs_or_loads_what_is_not_ours(client, site, page):
    response = page(client, site)
    policy = policy_of(response)

    assert policy["frame-ancestors"] == policy["base-uri"] == policy["default-src"] == {"'none'"}
    assert policy["script-src"] == policy["style-src"] == {"'self'"}
    assert not re.search(r"<script>|\son\w+=|\sstyle=", response.content.decode())


@pytest.mark.parametrize("page", PAGES)
def test_only_the_forms_that_end_at_an_application_lead_out(client, site, page):
    allowed = policy_of(page(client, site))["form-action"]

    assert allowed == (OUTWARDS if page in LEADING_OUT else {"'self'"})


def test_a_form_leads_to_a_native_applications_own_scheme_and_no_other(client, site):
    Application.objects.filter(pk=site.native.pk).update(requires_consent=True)
    page = log_in_on(client, open_login(client, "acme-native", redirect_uri=SCHEME_URI))["Location"]

    allowed = policy_of(client.get(page))["form-action"]

    assert allowed == OUTWARDS | {"com.example.app:"}
    assert decide(client, page)["Location"].startswith(f"{SCHEME_URI}?code=")


def test_a_logout_leads_to_a_native_applications_own_scheme(client, site):
    PostLogoutRedirectURI.objects.create(application=site.native, uri="com.example.app:/bye")
    log_in_by_browser(client)
    query = {"client_id": "acme-native", "post_logout_redirect_uri": "com.example.app:/bye"}

    asked = client.get("/oidc/acme/logout", query)
    form = Page(asked).form_to("/logout")

    assert "com.example.app:" in policy_of(asked)["form-action"]
    assert client.post(form.action, form.fields)["Location"] == "com.example.app:/bye"


@pytest.mark.parametrize("page", [consent, device_confirm, log_out, log_in, device_code])
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '" onload="x', "{{ 7|add:7 }}"])
def test_an_applications_name_is_text(client, site, page, name):
    Application.objects.filter(pool=site.pool).update(name=name)

    html = page(client, site).content.decode()

    assert name not in html.replace("{{ 7|add:7 }}", "")
    assert "14" not in re.findall(r"<h1>.*?</h1>", html)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-CN", "zh-hans"),
        ("zh", "zh-hans"),
        ("ZH-Hans-CN", "zh-hans"),
        ("en-GB zh", "en"),
        ("tlh fr zh-CN en", "zh-hans"),
        ("tlh", "en"),
        (None, "en"),
        ("../../etc/passwd", "en"),
        ("x" * 4000, "en"),
    ],
)
def test_an_application_may_ask_for_a_language(client, asked, language):
    page = open_login(client, ui_locales=asked)

    assert f'<html lang="{language}">' in client.get(page).content.decode()


def test_the_persons_own_choice_comes_first(client):
    client.cookies[current.LANGUAGE_COOKIE_NAME] = "en"
    page = open_login(client, ui_locales="zh-CN")

    assert '<html lang="en">' in client.get(page).content.decode()


def test_the_language_goes_along_to_wechat_and_back(client):
    page = open_login(client, ui_locales="zh-CN")
    way = next(link for link in Page(client.get(page)).links if "/wechat/" in link)

    assert "lang=cn" in client.get(way)["Location"]
    again = come_back(client, set_out(client, page), code=None)["Location"]
    assert '<html lang="zh-hans">' in client.get(again).content.decode()


def test_the_next_request_speaks_its_own_language(client):
    client.get(open_login(client, ui_locales="zh-CN"))

    assert '<html lang="en">' in GuardedClient().get("/").content.decode()


def test_no_secret_of_a_login_is_logged(client, site, caplog, capfd):
    caplog.set_level("DEBUG")
    page = open_login(client, state="the-applications-state", nonce="the-nonce")
    at_wechat = set_out(client, page)
    refused = come_back(client, at_wechat, code="0" * 32)
    second = set_out(client, refused["Location"])
    answer = log_in_on(client, refused["Location"])
    come_back(client, second)
    code = re.search(r"code=([^&]+)", answer["Location"])[1]
    tokens = exchange(code).json()
    client.get("/oidc/acme/logout", {"id_token_hint": tokens["id_token"], "client_id": "no"})
    client.get("/oidc/acme/logout", {"id_token_hint": tokens["id_token"]})
    authorize(client, state="the-applications-state", redirect_uri="https://evil.example")

    printed = unquote(caplog.text + "".join(capfd.readouterr()))
    secrets = [
        "the-applications-state",
        "the-nonce",
        at_wechat.state,
        second.state,
        "0" * 32,
        code,
        page.rpartition("/")[2],
        tokens["id_token"],
        *(cookie.value for cookie in client.cookies.values() if len(cookie.value) > 20),
    ]
    assert [secret for secret in secrets if secret in printed] == []

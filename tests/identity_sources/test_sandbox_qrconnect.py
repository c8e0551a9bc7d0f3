"""The sandbox's page with a code to scan: who confirms, who refuses, and where it leads."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from identity_sources.gateway import wechat_client
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import openid_of, sandbox_app_secret
from tests.support import builders
from tests.support.pages import Page

BACK = "http://127.0.0.1:8000/login/wechat?flow=1"
QUERY = {
    "appid": builders.MINI_APP_ID,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "snsapi_login",
    "state": "s1",
    "lang": "en",
}


def address(**changes):
    return f"/sandbox/connect/qrconnect?{urlencode(QUERY | changes)}"


@pytest.fixture(autouse=True)
def _known_by_its_address(settings):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"


def test_the_page_says_that_nobody_is_real_and_lists_the_people(client):
    response = client.get(address())
    page = Page(response)

    assert "This is the built-in WeChat, and nobody in it is real." in page.text
    assert "Alice Chen" in page.text
    assert "Mallory Ma blocked by WeChat's risk control" in page.text
    assert "no-store" in response["Cache-Control"]
    assert page.forms == [page.form]


@pytest.mark.parametrize(
    ("lang", "language", "name"),
    [("en", "en", "Alice Chen"), ("cn", "zh-hans", "陈爱丽"), ("", "zh-hans", "陈爱丽")],
)
def test_the_page_speaks_the_language_that_the_website_asks_for(client, lang, language, name):
    response = client.get(address(lang=lang), headers={"accept-language": "fr"})

    assert response["Content-Language"] == language
    assert f'<html lang="{language}">' in response.content.decode()
    assert name in Page(response).text


def test_who_confirms_is_who_the_code_stands_for(client):
    response = client.post(address(), {"person": "alice"})

    assert response.status_code == 302
    assert response["Location"].startswith(f"{BACK}&code=")
    back = parse_qs(urlsplit(response["Location"]).query)
    assert back["state"] == ["s1"]
    website = IdentitySource(mode="sandbox", app_id=builders.MINI_APP_ID)
    identity = wechat_client(website).oauth2_access_token(
        app_id=website.app_id, app_secret=sandbox_app_secret(website.app_id), code=back["code"][0]
    )
    assert identity.openid == openid_of(website.app_id, "alice")


def test_after_a_refusal_the_page_stays(client):
    page = Page(client.post(address(), {"refuse": "today"}))

    assert "The person refused The website isn't told" in page.text


def test_a_refusal_as_it_was_formerly_leads_back_without_a_code(client):
    response = client.post(address(), {"refuse": "formerly"})

    assert (response.status_code, response["Location"]) == (302, f"{BACK}&state=s1")


def test_a_blocked_person_cannot_confirm(client):
    page = Page(client.post(address(), {"person": "mallory"}))

    assert "WeChat's risk control keeps this person from confirming" in page.text


@pytest.mark.parametrize("data", [{}, {"person": ""}, {"person": "nobody"}])
def test_nobody_confirms_nothing(client, data):
    assert client.post(address(), data).status_code == 400


@pytest.mark.parametrize(
    ("changes", "words", "number"),
    [
        ({"redirect_uri": "http://evil.example/"}, "redirect_uri 参数错误", "10003"),
        ({"scope": "snsapi_base"}, "Scope 参数错误或没有 Scope 权限", "10005"),
        ({"appid": builders.LIVE_APP_ID}, "AppID 参数错误", "10012"),
        ({"response_type": "token"}, "response_type 参数错误", ""),
    ],
)
def test_a_wrong_address_is_a_page_in_wechats_words_that_leads_nowhere(
    client, changes, words, number
):
    response = client.post(address(**changes), {"person": "alice"})
    shown = response.content.decode()

    assert response.status_code == client.get(address(**changes)).status_code == 400
    assert f'<h1 lang="zh-Hans">{words}</h1>' in shown
    assert re.findall(r"错误码.(\d+)", shown) == ([number] if number else [])
    assert ("<code>127.0.0.1</code>" in shown) == (number == "10003")
    assert "<form" not in shown


def test_of_a_repeated_parameter_the_first_counts(client):
    response = client.post(f"{address()}&state=other", {"refuse": "formerly"})

    assert response["Location"] == f"{BACK}&state=s1"


def test_what_is_asked_for_is_shown_as_text(client):
    assert "<script>alert" not in client.get(address(appid="<script>alert")).content.decode()


def test_another_site_cannot_confirm_for_somebody():
    response = Client(enforce_csrf_checks=True).post(address(), {"person": "alice"})

    assert response.status_code == 403


def test_the_form_carries_its_proof():
    client = Client(enforce_csrf_checks=True)
    fields = Page(client.get(address())).form.fields

    response = client.post(
        address(),
        {"csrfmiddlewaretoken": fields["csrfmiddlewaretoken"], "person": "bob"},
        headers={"origin": "http://testserver"},
    )

    assert response.status_code == 302


def test_the_page_takes_no_other_method(client):
    assert client.put(address()).status_code == 405
    assert resolve("/sandbox/connect/qrconnect").url_name == "sandbox-qrconnect"

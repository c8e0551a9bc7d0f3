"""The pages that nobody needs an account for: the welcome, and what stands where nothing is."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.urls import path
from redis.exceptions import ConnectionError as NoRedis

from config.wiring.pages import failed
from tests.support.client import GuardedClient
from tests.support.pages import see


class Broken(Exception):
    """What a page with a mistake raises."""


def broken(request):
    raise Broken


# The server's addresses in the tests of a page that has a mistake.
urlpatterns = [path("broken/", broken)]
handler500 = failed


def test_the_welcome_tells_a_stranger_of_no_pool(client, acme):
    shown = see(client, "/")

    assert "acme" not in shown.text.lower()
    assert {"/console/", "/api/docs"} <= set(shown.links)


def test_the_welcome_says_what_to_do_next(client, settings):
    settings.WECHAT_SANDBOX = True
    assert "Demo mini program" in see(client, "/").text

    settings.WECHAT_SANDBOX = False
    assert "createsuperuser" in see(client, "/").text
    assert "Demo mini program" not in see(client, "/").text


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_the_welcome_is_only_read(method, client):
    assert getattr(client, method)("/").status_code == 405


@pytest.mark.parametrize("address", ["/nowhere", "/nowhere/", "/console/acme/nowhere/", "/%2e%2e/"])
def test_where_nothing_is_a_page_says_so(address, client, db):
    answer = client.get(address)

    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    assert "/console/" in answer.content.decode()


def test_a_mistake_of_ours_is_owned_up_to_without_details(client, settings):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False

    answer = client.get("/broken/?code=a-code-of-somebodys")

    assert answer.status_code == 500
    assert "Something went wrong on this server" in answer.content.decode()
    assert "Broken" not in answer.content.decode()
    assert "a-code-of-somebodys" not in answer.content.decode()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, NoRedis])
@pytest.mark.parametrize("address", ["/console/", "/console/acme/users/"])
def test_while_the_database_or_the_cache_is_away_a_page_says_to_come_back(
    error, address, admin_client, monkeypatch
):
    def away(self):
        raise error("at db.internal:5432")

    admin_client.raise_request_exception = False
    monkeypatch.setattr(SessionStore, "load", away)

    answer = admin_client.get(address, headers={"Accept-Language": "zh-hans"})

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "服务暂时不可用" in answer.content.decode()
    assert "db.internal" not in answer.content.decode()


def test_an_old_form_is_explained(db):
    client = GuardedClient(enforce_csrf_checks=True)

    answer = client.post("/i18n/setlang/", {"language": "zh-hans"})

    assert answer.status_code == 403
    assert "The page was open for too long" in answer.content.decode()


def test_a_role_that_only_looks_is_explained(viewer_client):
    answer = viewer_client.get("/console/acme/applications/add/")

    assert answer.status_code == 403
    assert "Your role in this user pool only allows to look" in answer.content.decode()


@pytest.mark.parametrize("address", ["/", "/nowhere", "/console/acme/nowhere/", "/console/login/"])
@pytest.mark.parametrize(("accepted", "language"), [("zh-hans", "zh-hans"), ("de", "en")])
def test_a_page_is_in_the_readers_language(address, accepted, language, client, db):
    answer = client.get(address, headers={"Accept-Language": accepted})

    assert f'lang="{language}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("switch", "page"),
    [("/i18n/setlang/", "/"), ("/console/acme/i18n/setlang/", "/console/acme/users/")],
)
def test_the_language_is_switched_and_the_page_stays(switch, page, admin_client):
    answer = admin_client.post(switch, {"language": "zh-hans", "next": page})

    cookie = answer.cookies["django_language"]
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert (cookie.value, cookie["samesite"]) == ("zh-hans", "Lax")
    assert cookie["httponly"]
    assert 'lang="zh-hans"' in admin_client.get(page).content.decode()


@pytest.mark.parametrize("switch", ["/i18n/setlang/", "/console/acme/i18n/setlang/"])
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example.com/",
        "https://evil.example.com/",
        "\\\\evil.example.com",
        "/\\evil.example.com",
        "javascript:alert(1)",
    ],
)
def test_switching_the_language_never_leads_to_another_server(switch, target, client, db):
    answer = client.post(
        switch, {"language": "zh-hans", "next": target}, headers={"Referer": target}
    )

    assert answer["Location"] in {"/", "/console/acme/"}


@pytest.mark.parametrize("language", ["", "xx", "../../etc", "zh-hans\r\nSet-Cookie: a=b"])
def test_a_language_that_we_dont_speak_isnt_kept(language, client, db):
    answer = client.post("/i18n/setlang/", {"language": language, "next": "/"})

    assert "django_language" not in answer.cookies


def test_looking_at_the_switch_switches_nothing(client, db):
    answer = client.get("/i18n/setlang/", {"language": "zh-hans"})

    assert "django_language" not in answer.cookies


def test_the_switch_of_a_page_leads_back_to_it(client, db):
    form = see(client, "/?a=b&c=<d>").form_to("/i18n/setlang/")

    assert form.fields["next"] == "/?a=b&c=%3Cd%3E"

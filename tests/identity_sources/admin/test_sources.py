"""The pages of identity sources: the choice of a type, the list, archiving, and no AppSecret."""

import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import LinkedAccount
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox.faults import refusal
from tests.support import builders
from tests.support.pages import Page, fill_in, see, send

LIST = "/console/acme/sources/"
ADD = f"{LIST}add/"
TYPES = [
    "wechat_mini_program",
    "wechat_website",
    "wechat_official_account",
    "wechat_mobile_app",
]
APP_SECRET = "5ec4e75ec4e75ec4e75ec4e75ec4e75e"
WRONG_APP_SECRET = "bad5ec4e7bad5ec4e7bad5ec4e7bad5e"
NEW_SOURCE = {
    "mode": "live",
    "app_id": builders.LIVE_APP_ID,
    "app_secret": APP_SECRET,
    "display_name": "Fresh",
    "identifier": "fresh",
    "registration": "open",
    "association": "none",
    "enabled": "on",
}


def page_of(source, page="change"):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/{page}/"


def archive(source):
    IdentitySource.objects.filter(pk=source.pk).update(archived_at=timezone.now())


@pytest.fixture
def heard(acme, admin_client, monkeypatch, caplog):
    """Everything that the server says to Ada, headers included, and everything that it logs."""
    caplog.set_level(logging.DEBUG)
    said, ask = [], admin_client.request

    def request(**environ):
        response = ask(**environ)
        said.append(str(response.headers) + response.content.decode() + str(response.cookies))
        return response

    monkeypatch.setattr(admin_client, "request", request)
    return said


# What kind of source


@pytest.mark.parametrize("query", ["", "?type=", "?type=wechat_work", "?type=../x", "?type=live"])
def test_without_a_type_of_ours_the_choice_comes_first(acme, admin_client, query):
    page = see(admin_client, ADD + query)

    assert [link for link in page.links if link.startswith("?type=")] == [
        f"?type={type_}" for type_ in TYPES
    ]
    assert "app_secret" not in page.names
    for name in ("小程序", "网站应用", "公众号", "移动应用", "WeChat mini program"):
        assert name in page.text


@pytest.mark.parametrize("query", ["", "?type=wechat_work"])
def test_a_form_sent_without_a_type_writes_nothing(acme, admin_client, query):
    response = send(admin_client, ADD + query, NEW_SOURCE | {"type": "wechat_website"})

    assert "Which WeChat app do people come from?" in Page(response).text
    assert APP_SECRET not in response.content.decode()
    assert IdentitySource.objects.get() == acme.source


@pytest.mark.parametrize("query", ["", "?type=wechat_website"])
def test_a_viewer_makes_no_sources(acme, viewer_client, query):
    assert viewer_client.get(ADD + query).status_code == 403
    assert send(viewer_client, ADD + query, NEW_SOURCE).status_code == 403

    assert IdentitySource.objects.get() == acme.source


# Who sees what


def test_a_viewer_sees_a_source_without_its_app_secret_and_without_buttons(acme, viewer_client):
    response = viewer_client.get(page_of(acme.source))

    page = Page(response)
    assert acme.source.app_secret() not in response.content.decode()
    for seen in (builders.MINI_APP_ID, "acme-mini", "Mini program"):
        assert seen in page.text
    for hidden in ("Test connection", "Archive", "Save"):
        assert hidden not in page.text
    assert "app_secret" not in page.names


def test_a_viewer_sees_an_archived_source_without_the_button_to_restore_it(acme, viewer_client):
    archive(acme.source)

    page = see(viewer_client, page_of(acme.source))

    assert "Nobody logs in from this source." in page.text
    assert "Restore" not in page.text


def test_a_viewer_changes_and_archives_nothing(acme, viewer_client):
    before = IdentitySource.objects.values().get()
    typed = {"display_name": "His", "registration": "closed", "app_secret": APP_SECRET}

    assert send(viewer_client, page_of(acme.source), typed).status_code == 403
    assert viewer_client.get(page_of(acme.source, "delete")).status_code == 403
    assert viewer_client.post(page_of(acme.source, "delete"), {"post": "yes"}).status_code == 403

    assert IdentitySource.objects.values().get() == before


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_a_source_of_another_pool_is_not_there(acme, globex, admin_client, stranger_client, page):
    hers = page_of(globex.source, page)

    assert admin_client.get(hers).status_code == 404
    assert admin_client.get(hers.replace("/globex/", "/acme/")).status_code == 404
    assert stranger_client.get(hers.replace("/globex/", "/acme/")).status_code == 404
    assert builders.SECOND_MINI_APP_ID not in admin_client.get(LIST).content.decode()


def test_a_search_for_the_app_secret_finds_nothing(acme, admin_client):
    secret = acme.source.app_secret()

    assert "1 identity source" in see(admin_client, f"{LIST}?q={builders.MINI_APP_ID}").text
    assert "1 identity source" not in see(admin_client, f"{LIST}?q={secret[:8]}").text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_app_secret_is_in_any_page_message_history_log_or_address(
    heard, acme, admin_client, caplog, language
):
    headers = {"accept-language": language}
    secrets = [APP_SECRET, WRONG_APP_SECRET, acme.source.app_secret()]
    new = f"{ADD}?type=wechat_mini_program"
    # Mistakes elsewhere, a mistake in it, and then none.
    admin_client.post(new, NEW_SOURCE | {"identifier": "acme-mini"}, headers=headers)
    admin_client.post(new, NEW_SOURCE | {"app_id": builders.MINI_APP_ID}, headers=headers)
    admin_client.post(new, NEW_SOURCE | {"app_secret": APP_SECRET + "0"}, headers=headers)
    admin_client.post(new, NEW_SOURCE, headers=headers, follow=True)
    fresh = IdentitySource.objects.get(identifier="fresh")
    typed = {
        "display_name": "New",
        "registration": "open",
        "association": "none",
        "app_secret": WRONG_APP_SECRET,
    }
    admin_client.post(page_of(fresh), typed | {"display_name": ""}, headers=headers)
    admin_client.post(page_of(fresh), typed | {"_continue": "1"}, headers=headers, follow=True)
    admin_client.post(page_of(acme.source), typed, headers=headers, follow=True)
    sandbox().script("stable_token", refusal(40125, f"invalid appsecret {WRONG_APP_SECRET}"))
    admin_client.post(page_of(acme.source, "test-connection"), headers=headers)
    for page in ("change", "delete", "history"):
        admin_client.get(page_of(fresh, page), headers=headers)
    admin_client.post(page_of(fresh, "delete"), {"post": "yes"}, headers=headers, follow=True)
    admin_client.post(page_of(fresh, "restore"), headers=headers, follow=True)
    admin_client.get(LIST, headers=headers)

    kept = str([*LogEntry.objects.values(), *(row.get_decoded() for row in Session.objects.all())])
    everything = "".join([*heard, caplog.text, kept])
    assert fresh.app_id in everything
    assert [secret for secret in secrets if secret in everything] == []


# The list


def test_archived_sources_are_only_in_the_filter(acme, admin_client):
    gone = builders.make_source(
        acme.pool, identifier="gone", app_id="wxsandbox000000009", display_name="Gone by"
    )
    archive(gone)

    usual, archived = see(admin_client, LIST), see(admin_client, f"{LIST}?state=archived")

    assert "Gone by" not in usual.text
    assert builders.MINI_APP_ID in usual.text
    assert "Gone by" in archived.text
    assert builders.MINI_APP_ID not in archived.text


@pytest.mark.parametrize(
    ("changes", "without_sandbox", "state"),
    [
        ({}, False, "Sandbox, on"),
        ({}, True, "Off"),
        ({"enabled": False}, False, "Off"),
        ({"mode": "live", "app_id": builders.LIVE_APP_ID}, True, "On"),
    ],
)
def test_the_list_says_whether_people_can_log_in(
    acme, admin_client, settings, changes, without_sandbox, state
):
    settings.WECHAT_SANDBOX = not without_sandbox
    IdentitySource.objects.update(**changes)

    row = see(admin_client, LIST).text.partition("wx")[2]

    assert f" {state} " in row


def test_the_names_that_operators_give_are_shown_as_text(acme, admin_client):
    name = "<script>alert('1')</script>\"&"
    IdentitySource.objects.update(display_name=name)

    for address in (LIST, page_of(acme.source), page_of(acme.source, "delete")):
        response = admin_client.get(address)
        assert "<script>alert(" not in response.content.decode()
        assert name in Page(response).text


# Archiving


def test_the_page_that_archives_names_the_source_and_says_that_nothing_is_deleted(
    acme, admin_client
):
    page = see(admin_client, page_of(acme.source, "delete"))

    assert "Archive “Mini program”?" in page.text
    assert "People keep their linked accounts." in page.text
    assert "delete" not in page.text.lower()
    assert page_of(acme.source) in page.links


def test_looking_at_that_page_archives_nothing(acme, admin_client):
    admin_client.get(page_of(acme.source, "delete"))
    Page(admin_client.post(page_of(acme.source, "delete")))  # as Django asks: without "post"

    assert IdentitySource.objects.get().archived_at is None


def test_archiving_deletes_nothing_and_nobody_logs_in_any_more(acme, admin_client, log_in):
    assert log_in().status_code == 200

    form = see(admin_client, page_of(acme.source, "delete")).form
    response = admin_client.post(page_of(acme.source, "delete"), form.fields, follow=True)

    assert "The source is archived; nobody logs in from it any more." in Page(response).text
    assert IdentitySource.objects.get().archived_at is not None
    assert acme.application.login_methods.get() == acme.method
    assert LinkedAccount.objects.filter(pool=acme.pool, app_id=acme.source.app_id).count() == 1
    assert log_in().json()["error"] == "login_method_disabled"


def test_an_archived_source_offers_to_be_restored_and_nothing_else(acme, admin_client):
    archive(acme.source)

    page = see(admin_client, page_of(acme.source))

    assert page.form_to("/restore/").method == "post"
    assert "Test connection" not in page.text
    assert "Archive “" not in page.text


# Pages in another language


def test_the_pages_are_in_the_operators_language(acme, admin_client):
    page = see(admin_client, page_of(acme.source), **{"accept-language": "zh-hans"})

    assert "测试连接" in page.text
    assert "Test connection" not in page.text


def test_changing_a_source_returns_to_the_list(acme, admin_client):
    response = fill_in(admin_client, page_of(acme.source), display_name="New name")

    assert (response.status_code, response["Location"]) == (302, LIST)

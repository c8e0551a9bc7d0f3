"""What an administrator does with one source: try its connection, take it up again."""

import pytest
import responses
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.utils import timezone

from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource, WeChatAccessToken
from identity_sources.sandbox.faults import refusal
from tests.support import builders
from tests.support.pages import Page, see

API = "https://api.weixin.qq.com"
RID = "65f3e9f7-77cf1a1c-0dd74a0e"


def page_of(source, page="change"):
    return f"/console/{source.pool.identifier}/sources/{source.pk}/{page}/"


def try_out(client, source, **headers):
    return client.post(page_of(source, "test-connection"), headers=headers)


def archive(source):
    IdentitySource.objects.filter(pk=source.pk).update(archived_at=timezone.now())


@pytest.fixture
def live(acme):
    return builders.make_source(
        acme.pool, identifier="acme-live", app_id=builders.LIVE_APP_ID, mode="live"
    )


@pytest.fixture
def wechat():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


# Trying the connection


@pytest.mark.parametrize("action", ["test-connection", "restore"])
def test_nothing_is_done_by_opening_an_address(acme, admin_client, wechat, action):
    archive(acme.source)

    assert admin_client.get(page_of(acme.source, action)).status_code == 405
    assert IdentitySource.objects.get().archived_at is not None


@pytest.mark.parametrize("action", ["test-connection", "restore"])
def test_a_viewer_and_a_stranger_do_nothing(acme, viewer_client, stranger_client, action):
    archive(acme.source)
    through_her_pool = page_of(acme.source, action).replace("/acme/", "/globex/")

    assert viewer_client.post(page_of(acme.source, action)).status_code == 403
    assert stranger_client.post(page_of(acme.source, action)).status_code == 404
    assert stranger_client.post(through_her_pool).status_code == 404

    assert IdentitySource.objects.get(pk=acme.source.pk).archived_at is not None
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["test-connection", "restore"])
def test_who_is_not_signed_in_is_sent_to_sign_in(acme, client, action):
    archive(acme.source)

    response = client.post(page_of(acme.source, action))

    assert response.status_code == 302
    assert "/login/" in response["Location"]
    assert IdentitySource.objects.get().archived_at is not None


@pytest.mark.parametrize("type_", ["wechat_website", "wechat_mobile_app"])
def test_a_source_whose_people_log_in_by_a_browser_or_an_app_is_tried_too(
    live, admin_client, wechat, type_
):
    IdentitySource.objects.filter(pk=live.pk).update(type=type_)
    refused = {"errcode": 40125, "errmsg": f"invalid appsecret, rid: {RID}"}
    wechat.get(f"{API}/sns/oauth2/access_token", json=refused)

    page = see(admin_client, page_of(live))
    told = Page(try_out(admin_client, live)).text

    assert "Test connection" in page.text
    assert "Login: AppID and AppSecret" in told
    for fact in ("AppSecret is wrong", "40125", RID):
        assert fact in told
    assert "UnionID" not in told


def test_a_sandbox_source_where_there_is_no_sandbox_says_so(acme, admin_client, settings):
    settings.WECHAT_SANDBOX = False

    page = see(admin_client, page_of(acme.source))
    response = admin_client.post(page_of(acme.source, "test-connection"), follow=True)

    sentence = "This is a sandbox source, and WECHAT_SANDBOX is off."
    assert sentence in page.text
    assert "Test connection" not in page.text
    assert Page(response).text.count(sentence) == 2  # the message, and the page below it


def test_an_app_secret_that_no_key_reads_is_said_in_a_sentence(
    live, admin_client, wechat, settings
):
    settings.ENCRYPTION_KEYS = (b"x" * 32,)

    response = admin_client.post(page_of(live, "test-connection"), follow=True)

    sentence = "No key of ENCRYPTION_KEYS reads this AppSecret. Enter it again."
    assert sentence in Page(response).text
    assert len(wechat.calls) == 0


def test_a_wrong_app_secret_is_explained_with_errcode_and_rid(live, admin_client, wechat):
    refused = {"errcode": 40125, "errmsg": f"invalid appsecret, rid: {RID}"}
    wechat.get(f"{API}/sns/jscode2session", json=refused)
    wechat.post(f"{API}/cgi-bin/stable_token", json=refused)

    response = try_out(admin_client, live)

    text = Page(response).text
    assert text.count("errcode 40125") == 2
    assert text.count("doesn't work") == 2
    assert f"rid {RID}" in text
    assert "What to do:" in text
    assert builders.LIVE_APP_SECRET not in response.content.decode()


def test_wechats_words_are_shown_as_text(live, admin_client, wechat):
    refused = {"errcode": 40164, "errmsg": "invalid ip <script>alert(1)</script>"}
    wechat.get(f"{API}/sns/jscode2session", json=refused)
    wechat.post(f"{API}/cgi-bin/stable_token", json=refused)

    assert "<script>alert(1)" not in try_out(admin_client, live).content.decode()


def test_a_sandbox_source_is_tried_on_the_sandbox(acme, admin_client):
    form = see(admin_client, page_of(acme.source)).form_to("/test-connection/")

    response = admin_client.post(form.action, form.fields)

    text = Page(response).text
    assert text.count("✓ works") == 2
    assert text.count("? unknown") == 1
    assert page_of(acme.source) in Page(response).links


def test_the_findings_are_in_the_operators_language(acme, admin_client):
    sandbox().script("stable_token", refusal(40164))

    text = Page(try_out(admin_client, acme.source, **{"accept-language": "zh-hans"})).text

    assert "白名单" in text
    assert "errcode 40164" in text
    assert "WeChat accepts" not in text


def test_trying_leaves_no_trace_in_the_history_and_the_shared_token_alone(acme, admin_client):
    WeChatAccessToken.objects.create(source=acme.source, token_ciphertext=b"kept", generation=3)
    before = WeChatAccessToken.objects.values().get()

    try_out(admin_client, acme.source)

    assert WeChatAccessToken.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_no_connection_is_held_while_wechat_is_asked(threaded_database, live, admin_client, wechat):
    held = []

    def answer(request):
        held.append(connection.connection)
        return 200, {}, '{"errcode":40029,"errmsg":"invalid code"}'

    wechat.add_callback("GET", f"{API}/sns/jscode2session", answer)
    wechat.add_callback("POST", f"{API}/cgi-bin/stable_token", answer)

    assert try_out(admin_client, live).status_code == 200

    assert held == [None, None]


# Taking up again


def test_a_source_whose_app_id_another_one_has_by_now_is_not_restored(acme, admin_client):
    archive(acme.source)
    builders.make_source(acme.pool, identifier="again", app_id=acme.source.app_id)

    response = admin_client.post(page_of(acme.source, "restore"), follow=True)

    assert "Another source of this pool has the same AppID by now." in Page(response).text
    assert IdentitySource.objects.get(pk=acme.source.pk).archived_at is not None
    assert not LogEntry.objects.exists()


def test_a_source_that_is_gone_is_not_there(acme, admin_client):
    gone = page_of(acme.source, "restore").replace(str(acme.source.pk), str(acme.pool.pk))

    assert admin_client.post(gone).status_code == 404


def test_a_restored_source_lets_the_same_people_in_again(acme, admin_client, log_in):
    before = log_in().json()["user"]["sub"]
    admin_client.post(page_of(acme.source, "delete"), {"post": "yes"})
    assert log_in().status_code == 403
    form = see(admin_client, page_of(acme.source)).form_to("/restore/")

    response = admin_client.post(form.action, form.fields, follow=True)

    assert "The source is in use again." in Page(response).text
    assert log_in().json()["user"]["sub"] == before
    assert LogEntry.objects.latest("pk").get_change_message() == "Restored."

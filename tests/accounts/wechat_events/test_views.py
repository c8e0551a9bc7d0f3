"""The door of WeChat's pushes: who is let in, and what WeChat is answered."""

import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.models import WeChatEvent
from identity_sources.models import MessagePushKey
from identity_sources.push_keys import OLD_ONES_LAST, make_push_key
from identity_sources.sandbox.pushes import signature
from identity_sources.wechat.push import PushKey
from tests.accounts.wechat_events.addresses import URL
from tests.support import builders

REVOKED = "user_authorization_revoke"


def check(client, token, *, at=None, url=URL, **changes):
    """What WeChat does when the URL is saved in its console."""
    timestamp = str(int(at or time.time()))
    query = {
        "signature": signature(token, timestamp, "1234"),
        "timestamp": timestamp,
        "nonce": "1234",
        "echostr": "4375120948345356249",
    }
    return client.get(f"{url}?{urlencode(query | changes)}")


def assert_refused(response, status, reason):
    assert response.status_code == status
    assert response.json()["error"] == "push_refused"
    assert response.json()["reason"] == reason
    assert WeChatEvent.objects.count() == 0


def test_the_check_of_the_url_is_answered_with_its_echo(client, push_key):
    response = check(client, push_key.token)

    assert (response.status_code, response.content) == (200, b"4375120948345356249")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": "another"}, "bad_signature"),
        ({"nonce": "1235"}, "bad_signature"),
        ({"signature": ""}, "bad_signature"),
        ({"at": 1_700_000_000}, "stale"),
    ],
)
def test_a_check_that_is_not_wechats_is_refused(client, push_key, changes, reason):
    token = changes.pop("token", push_key.token)

    assert_refused(check(client, token, **changes), 403, reason)


def test_without_keys_nothing_is_taken(acme, client, push):
    MessagePushKey.objects.all().delete()

    assert_refused(push(REVOKED), 403, "bad_signature")
    assert_refused(check(client, ""), 403, "bad_signature")


@pytest.mark.parametrize(
    "url", ["/wechat/globex/acme-mini/events", "/wechat/acme/globex-mini/events", "/wechat/acme/"]
)
def test_a_source_of_another_pool_is_not_found(globex, push, url):
    response = push(REVOKED, url=url)

    assert response.status_code == 404
    assert response.json()["error_description"] == "There is nothing at this address."


def test_the_key_of_another_source_opens_nothing(globex, push):
    key = make_push_key(globex.source, now=timezone.now())

    assert_refused(push(REVOKED, key=key), 403, "bad_signature")


def test_an_event_for_another_app_is_refused(push):
    app_id = builders.SECOND_MINI_APP_ID

    assert_refused(push(REVOKED, app_id=app_id), 403, "foreign_app")


def test_an_event_of_another_key_with_the_right_token_is_refused(push, push_key):
    key = PushKey(token=push_key.token, aes_key="A" * 43)

    assert_refused(push(REVOKED, key=key), 403, "undecryptable")


def test_an_old_event_is_refused(push):
    assert_refused(push(REVOKED, sent_at=time.time() - 601), 403, "stale")


def test_junk_is_refused_without_a_trace(client, push_key):
    response = client.post(URL, b"<xml", content_type="text/xml")

    assert_refused(response, 400, "unreadable")


def test_there_are_no_other_methods(client, push_key):
    assert client.put(URL, {}, content_type="application/json").status_code == 405


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("has_odd_keys", [False, True])
def test_every_mode_and_form_is_taken(alice, push, mode, form, has_odd_keys):
    response = push(REVOKED, mode=mode, format=form, has_odd_keys=has_odd_keys)

    assert (response.status_code, response.content) == (200, b"success")
    event = WeChatEvent.objects.get()
    assert (event.event, event.mode) == (REVOKED, "plain" if mode == "plain" else "safe")
    alice.refresh_from_db()
    assert alice.phone_number == ("+8613800138001" if mode == "plain" else "")


def test_during_a_rotation_both_keys_are_good_and_then_the_new_one(acme, alice, push, push_key):
    new = make_push_key(acme.source, now=timezone.now())

    assert push(REVOKED).status_code == 200
    assert push(REVOKED, key=new, created_at=1_700_000_001).status_code == 200

    expired = timezone.now() - timedelta(seconds=1)
    MessagePushKey.objects.filter(expires_at__isnull=False).update(expires_at=expired)
    assert push(REVOKED, created_at=1_700_000_002).status_code == 403
    assert push(REVOKED, key=new, created_at=1_700_000_003).status_code == 200
    assert timedelta(days=1) == OLD_ONES_LAST


def test_an_archived_source_still_hears_what_people_ask_for(acme, alice, push):
    acme.source.archived_at = timezone.now()
    acme.source.save()

    assert push(REVOKED).status_code == 200
    alice.refresh_from_db()
    assert alice.phone_number == ""

"""The events that WeChat pushed, in the console."""

import pytest
from django.utils import timezone

from accounts.models import WeChatEvent
from tests.support import builders

LIST = "/console/acme/wechat-events/"


@pytest.fixture
def event(acme):
    return WeChatEvent.objects.create(
        pool=acme.pool,
        identity_source=acme.source,
        user=builders.make_user(acme.pool, nickname="Alice"),
        event="user_authorization_revoke",
        mode="safe",
        outcome="applied",
        facts={"revoke_info": ["8"]},
        content_hash="a hash",
        received_at=timezone.now(),
    )


@pytest.mark.parametrize("who", ["admin_client", "viewer_client"])
def test_the_list_tells_what_came_of_each(event, request, who):
    text = request.getfixturevalue(who).get(LIST).content.decode()

    for word in ("user_authorization_revoke", "Applied", "Mini program", "Alice"):
        assert word in text


def test_one_tells_what_wechat_said(event, admin_client):
    text = admin_client.get(f"{LIST}{event.pk}/change/").content.decode()

    assert "revoke_info" in text
    assert "a hash" not in text


def test_an_empty_list_says_where_to_begin(acme, admin_client):
    text = admin_client.get(LIST).content.decode()

    assert "enter in WeChat&#x27;s console" in text


def test_it_is_found_by_its_name_and_by_whom_it_is_about(event, admin_client):
    for found in (event.event, event.user.sub):
        assert "Alice" in admin_client.get(f"{LIST}?q={found}").content.decode()
    assert "Alice" not in admin_client.get(f"{LIST}?q=wxa_punish_event").content.decode()


def test_nothing_is_added_changed_or_deleted(event, admin_client):
    for address in ("add/", f"{event.pk}/delete/"):
        assert admin_client.post(f"{LIST}{address}").status_code == 403
    assert WeChatEvent.objects.count() == 1

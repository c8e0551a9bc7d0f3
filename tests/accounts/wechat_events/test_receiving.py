"""Each event once, and what is kept of it."""

import json

import pytest
from django.utils import timezone

from accounts.models import AccountEvent, LinkedAccount, Session, User, WeChatEvent
from identity_sources.sandbox import openid_of, unionid_of
from identity_sources.sandbox.pushes import signature
from tests.support import builders

CANCELLED = "user_authorization_cancellation"


def outcomes():
    return list(WeChatEvent.objects.order_by("pk").values_list("event", "outcome"))


def test_an_unknown_event_is_acknowledged_and_recorded(alice, push):
    assert push("something_new").content == b"success"

    assert outcomes() == [("something_new", "unknown")]


@pytest.mark.parametrize(
    "event", ["user_info_modified", "user_authorization_revoke", CANCELLED, "wxa_punish_event"]
)
def test_in_plain_mode_an_event_changes_nothing(acme, alice, push, event):
    before = User.objects.values().get(pk=alice.pk)

    assert push(event, mode="plain").content == b"success"

    assert outcomes() == [(event, "unproven")]
    assert User.objects.values().get(pk=alice.pk) == before
    assert LinkedAccount.objects.count() == 2
    assert AccountEvent.objects.count() == 0
    acme.source.refresh_from_db()
    assert acme.source.failing_since is None
    assert Session.objects.filter(ended_at__isnull=True).count() == 1


def test_an_event_of_nobody_here_is_recorded_as_such(acme, push):
    assert push(CANCELLED, person="bob").content == b"success"

    assert outcomes() == [(CANCELLED, "nobody")]


def test_a_repetition_changes_nothing(alice, push):
    push("user_info_modified")
    User.objects.filter(pk=alice.pk).update(nickname="Alice again")

    assert push("user_info_modified").content == b"success"

    assert outcomes() == [("user_info_modified", "applied")]
    alice.refresh_from_db()
    assert alice.nickname == "Alice again"


def test_the_same_event_later_is_another_one(alice, push):
    push("user_info_modified")
    User.objects.filter(pk=alice.pk).update(nickname="Alice again")

    push("user_info_modified", created_at=1_700_000_060)

    alice.refresh_from_db()
    assert alice.nickname == ""
    assert len(outcomes()) == 2


def test_a_message_that_somebody_sent_leaves_no_trace(acme, client, push_key):
    body = "<xml><MsgType>text</MsgType><Content>hello</Content><Event>x</Event></xml>"
    from_wechat = sign(push_key.token)

    response = client.post(
        f"/wechat/acme/acme-mini/events?{from_wechat}", body, content_type="text/xml"
    )

    assert (response.status_code, response.content) == (200, b"success")
    assert WeChatEvent.objects.count() == 0


def sign(token):
    timestamp = str(int(timezone.now().timestamp()))

    return f"timestamp={timestamp}&nonce=7&signature={signature(token, timestamp, '7')}"


def test_nothing_personal_is_kept_of_an_event(alice, push):
    push("user_authorization_revoke", revoke_info="8")
    push(CANCELLED)

    kept = json.dumps(
        [list(WeChatEvent.objects.values()), list(AccountEvent.objects.values())], default=str
    )
    for value in (
        openid_of(builders.MINI_APP_ID, "alice"),
        unionid_of(builders.MINI_APP_ID, "alice"),
        "13800138001",
    ):
        assert value not in kept


def test_the_same_event_sent_ten_times_at_once_is_done_once(
    threaded_database, alice, push, together
):
    answers = together(lambda _: push(CANCELLED).content, range(10))

    assert answers == [b"success"] * 10
    assert outcomes() == [(CANCELLED, "applied")]
    kinds = list(AccountEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["authorization_cancelled", "closed"]


def test_a_plain_event_does_not_stand_in_the_way_of_the_proven_one(alice, push):
    push("user_info_modified", mode="plain")

    push("user_info_modified")

    assert outcomes() == [("user_info_modified", "unproven"), ("user_info_modified", "applied")]

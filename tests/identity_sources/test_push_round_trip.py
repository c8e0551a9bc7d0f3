"""What the sandbox pushes, the client reads: two programs that share no line."""

from itertools import product
from urllib.parse import parse_qsl

import pytest
import time_machine

from identity_sources.sandbox import (
    MemoryStore,
    Sandbox,
    SandboxRequest,
    openid_of,
    unionid_of,
)
from identity_sources.sandbox.control import control
from identity_sources.sandbox.pushed_events import PushedEvent
from identity_sources.sandbox.pushes import Endpoint, push_request
from identity_sources.wechat.push import PushKey, PushRefused, new_push_key, read_push

pytestmark = pytest.mark.once

SHOP = "wxsandbox000000001"
NOW = 1_700_000_000
EVENTS = (
    "user_info_modified",
    "user_authorization_revoke",
    "user_authorization_cancellation",
    "wxa_punish_event",
    "SCAN",
)
MODES = ("plain", "compat", "safe")
FORMATS = ("xml", "json")


@pytest.fixture(scope="module")
def key():
    return new_push_key()


def made(key, event="user_authorization_cancellation", mode="safe", body_format="xml", **options):
    return push_request(
        PushedEvent(app_id=SHOP, person="carol", event=event, created_at=NOW - 60),
        Endpoint(token=key.token, aes_key=key.aes_key, mode=mode, format=body_format),
        NOW,
        **options,
    )


def read(request, key, app_id=SHOP, now=NOW):
    return read_push(
        dict(parse_qsl(request.query)), request.body, keys=[key], app_id=app_id, now=now
    )


@pytest.mark.parametrize("has_odd_keys", [False, True])
@pytest.mark.parametrize(("event", "mode", "body_format"), [*product(EVENTS, MODES, FORMATS)])
def test_what_the_sandbox_pushes_the_client_reads(key, event, mode, body_format, has_odd_keys):
    push = read(made(key, event, mode, body_format, has_odd_keys=has_odd_keys), key)

    is_about_a_person = event.startswith("user_")
    assert push.mode == ("plain" if mode == "plain" else "safe")
    assert push.event == event.lower()
    assert push.created_at == NOW - 60
    assert push.openid == (openid_of(SHOP, "carol") if is_about_a_person else "")
    assert push.unionid == (unionid_of(SHOP, "carol") if is_about_a_person else "")
    assert push.app_id == ("" if event == "SCAN" else SHOP)
    assert (push.fields["fromusername"] == openid_of(SHOP, "carol")) is (event == "SCAN")


@pytest.mark.parametrize("body_format", FORMATS)
def test_a_punishment_is_read_with_its_nested_values(key, body_format):
    fields = read(made(key, "wxa_punish_event", "safe", body_format), key).fields

    assert fields["event_type"] == "1"
    assert fields["detail"].startswith('{"warned_type":1,')
    content = "沙箱中的违规内容 & <more>"
    assert fields["illegal_content"] == (content if body_format == "xml" else f'["{content}"]')


@pytest.mark.parametrize("mode", ["compat", "safe"])
def test_the_push_of_one_application_is_none_of_another(key, mode):
    with pytest.raises(PushRefused) as caught:
        read(made(key, mode=mode), key, app_id="wxsandbox000000002")

    assert caught.value.reason == "foreign_app"


@pytest.mark.parametrize("mode", MODES)
def test_a_push_signed_with_another_key_is_refused(key, mode):
    with pytest.raises(PushRefused) as caught:
        read(made(key, mode=mode), new_push_key())

    assert caught.value.reason == "bad_signature"


@pytest.mark.parametrize("mode", MODES)
def test_a_push_is_refused_after_10_minutes(key, mode):
    with pytest.raises(PushRefused) as caught:
        read(made(key, mode=mode), key, now=NOW + 601)

    assert caught.value.reason == "stale"


@time_machine.travel(NOW, tick=False)
def test_what_the_control_door_gives_the_client_reads():
    key = PushKey("AAAAA", "a" * 42 + "R")
    data = (
        f"app_id={SHOP}&person=carol&event=user_authorization_revoke&revoke_info=8"
        f"&token={key.token}&aes_key={key.aes_key}"
    )

    status, answer = control(
        Sandbox(MemoryStore()), SandboxRequest("POST", "/sandbox/push", body=data.encode())
    )
    push = read_push(
        dict(parse_qsl(answer["query"])), answer["body"].encode(), keys=[key], app_id=SHOP, now=NOW
    )

    assert (status, push.mode, push.event) == (200, "safe", "user_authorization_revoke")
    assert (push.openid, push.created_at) == (openid_of(SHOP, "carol"), NOW)
    assert push.fields["revokeinfo"] == "8"

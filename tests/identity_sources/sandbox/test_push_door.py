"""The control door that makes a push for a developer to send."""

import json
import time
from unittest.mock import ANY
from urllib.parse import parse_qs

import pytest
import time_machine

from identity_sources.sandbox import SandboxRequest
from identity_sources.sandbox.control import control

pytestmark = pytest.mark.once

NOW = 1_700_000_000
DATA = {
    "app_id": "wxsandbox000000001",
    "person": "alice",
    "event": "user_authorization_revoke",
    "token": "AAAAA",
    "aes_key": "A" * 43,
}


@pytest.fixture
def post(sandbox):
    def post(data):
        body = json.dumps(data).encode()
        return control(sandbox, SandboxRequest("POST", "/sandbox/push", body=body))

    return post


@pytest.mark.parametrize("field", DATA)
def test_a_field_that_is_missing_is_named(post, field):
    data = {name: value for name, value in DATA.items() if name != field}

    assert post(data) == (400, {"field": field, "message": f"{field} is required."})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("app_id", "wx4f4bc4dec97d474b"),
        ("person", "nobody"),
        ("event", "a b"),
        ("token", "ab"),
        ("aes_key", "A" * 42),
        ("mode", "secret"),
        ("mode", ""),
        ("format", 5),
        ("revoke_info", "all"),
        ("revoke_info", True),
        ("event_type", 1),
        ("created_at", "yesterday"),
        ("created_at", 1.5),
        ("created_at", -1),
        ("created_at", 10**12),
    ],
)
def test_a_wrong_field_is_named(post, field, value):
    assert post(DATA | {field: value}) == (400, {"field": field, "message": ANY})


@time_machine.travel(NOW, tick=False)
def test_a_push_is_safe_xml_of_now_unless_said_otherwise(post):
    status, answer = post(DATA)

    assert (status, set(answer)) == (200, {"query", "content_type", "body"})
    assert answer["content_type"] == "text/xml"
    assert answer["body"].startswith("<xml><ToUserName>")
    assert "<Encrypt>" in answer["body"]
    query = parse_qs(answer["query"])
    assert (query["encrypt_type"], query["timestamp"]) == (["aes"], [str(NOW)])


@pytest.mark.parametrize("number", [205, "205"])
def test_everything_can_be_said(post, number):
    _, answer = post(
        DATA | {"mode": "plain", "format": "json", "revoke_info": number, "created_at": 1626857200}
    )

    body = json.loads(answer["body"])
    assert (body["RevokeInfo"], body["CreateTime"]) == ("205", 1626857200)
    assert answer["content_type"] == "text/xml"
    timestamp = int(parse_qs(answer["query"])["timestamp"][0])
    assert abs(timestamp - time.time()) < 60


def test_the_kind_of_a_punishment_may_be_said(post):
    data = DATA | {"event": "wxa_punish_event", "event_type": 4, "mode": "plain", "format": "json"}

    assert json.loads(post(data)[1]["body"])["event_type"] == 4

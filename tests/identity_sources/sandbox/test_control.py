import json
from unittest.mock import ANY

import pytest

from identity_sources.sandbox import SandboxRequest, openid_of
from identity_sources.sandbox.control import control


@pytest.fixture
def post(sandbox):
    def post(path, data, query=""):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return control(sandbox, SandboxRequest.from_target("POST", f"{path}?{query}", body))

    return post


@pytest.mark.parametrize("door", ["wx.login", "getPhoneNumber", "qrconnect"])
@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "app_id"),
        ({"app_id": "wx4f4bc4dec97d474b", "person": "alice"}, "app_id"),
        ({"app_id": 5, "person": "alice"}, "app_id"),
        ({"app_id": "wxsandbox000000001"}, "person"),
        ({"app_id": "wxsandbox000000001", "person": "nobody"}, "person"),
        (b'{"app_id":', "body"),
        (b"[]", "body"),
        (b'{"app_id":"\xff"}', "body"),
    ],
)
def test_a_wrong_field_is_named(post, door, data, field):
    assert post(f"/sandbox/{door}", data) == (400, {"field": field, "message": ANY})


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "call"),
        ({"call": "token"}, "kind"),
        ({"call": "login", "kind": "html_page"}, "call"),
        ({"call": "token", "kind": "earthquake"}, "kind"),
        ({"call": "token", "kind": "refusal"}, "errcode"),
        ({"call": "token", "kind": "html_page", "times": 0}, "times"),
        ({"call": "token", "kind": "html_page", "app_id": "x"}, "app_id"),
        ({"call": "token", "kind": "html_page", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_of_a_fault_is_named(post, data, field):
    assert post("/sandbox/faults", data) == (400, {"field": field, "message": ANY})


def test_a_wrong_method_is_refused(sandbox):
    status, answer = control(sandbox, SandboxRequest("GET", "/sandbox/wx.login"))

    assert status == 405
    assert answer == {"field": None, "message": "/sandbox/wx.login takes POST only."}


def test_wechats_own_paths_are_not_doors(sandbox):
    assert control(sandbox, SandboxRequest("GET", "/cgi-bin/token")) is None


def test_a_person_without_a_number_refuses(post, shop):
    outcome = post("/sandbox/getPhoneNumber", {"app_id": shop, "person": "dave"})

    assert outcome == (200, {"errMsg": "getPhoneNumber:fail user deny"})


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b'{"app_id": "wxsandbox000000001", "person": "alice"}', ""),
        (b"app_id=wxsandbox000000001&person=alice", ""),
        (b"", "app_id=wxsandbox000000001&person=alice"),
        (b"person=alice", "app_id=wxsandbox000000001&person=bob"),
    ],
    ids=["json", "form", "query", "both"],
)
def test_wx_login_gives_a_code_that_can_be_exchanged(post, server, shop, body, query):
    status, answer = post("/sandbox/wx.login", body, query)

    assert (status, answer) == (200, {"errMsg": "login:ok", "code": ANY})
    assert server.jscode2session(answer["code"])["openid"] == openid_of(shop, "alice")


def test_qrconnect_gives_a_code_that_can_be_exchanged(post, server, shop):
    status, answer = post("/sandbox/qrconnect", {"app_id": shop, "person": "alice"})

    assert (status, answer) == (200, {"code": ANY})
    assert server.oauth2_access_token(answer["code"])["openid"] == openid_of(shop, "alice")


def test_qrconnect_refuses_a_blocked_person(post, shop):
    outcome = post("/sandbox/qrconnect", {"app_id": shop, "person": "mallory"})

    assert outcome == (400, {"field": "person", "message": ANY})


def test_get_phone_number_gives_a_code_that_can_be_exchanged(post, server, shop):
    status, answer = post("/sandbox/getPhoneNumber", {"app_id": shop, "person": "alice"})

    assert (status, answer) == (200, {"errMsg": "getPhoneNumber:ok", "code": ANY})
    assert server.getuserphonenumber(answer["code"])["errcode"] == 0


def test_a_fault_is_scripted(post, server, shop, other_shop):
    fault = {"call": "token", "kind": "refusal", "errcode": 45011, "times": 2, "app_id": shop}

    status, answer = post("/sandbox/faults", fault)

    assert status == 200
    assert answer == {
        "call": "token",
        "times": 2,
        "app_id": shop,
        "fault": {
            "kind": "refusal",
            "errcode": 45011,
            "errmsg": None,
            "status": None,
            "delay_seconds": 0.0,
            "consumes_code": None,
        },
    }
    assert "access_token" in server.token(other_shop)
    assert [server.token().get("errcode") for _ in range(3)] == [45011, 45011, None]


def test_people_are_listed_with_the_words_that_the_doors_take(sandbox):
    status, answer = control(sandbox, SandboxRequest("GET", "/sandbox/people"))

    assert status == 200
    assert answer["people"][0] == {
        "person": "alice",
        "name": "Alice Chen",
        "name_zh": "陈爱丽",
        "nickname": "爱丽 Alice",
        "phone": "+8613800138001",
        "risk_blocked": False,
    }
    assert [person["phone"] for person in answer["people"] if person["person"] == "dave"] == [None]

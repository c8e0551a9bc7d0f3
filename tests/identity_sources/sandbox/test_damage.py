import json
from unittest.mock import ANY

import pytest

from identity_sources.sandbox import (
    Fault,
    FaultKind,
    SandboxRequest,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)
from identity_sources.sandbox.faults import http_status, latency, refusal
from identity_sources.sandbox.scripts import CALLS


@pytest.fixture
def exchange(sandbox, shop):
    def exchange(js_code):
        target = (
            f"/sns/jscode2session?appid={shop}&secret={sandbox_app_secret(shop)}"
            f"&js_code={js_code}&grant_type=authorization_code"
        )
        return sandbox.handle(SandboxRequest.from_target("GET", target))

    return exchange


def test_a_script_for_an_unknown_call_is_refused(sandbox):
    with pytest.raises(ValueError, match="call must be one of jscode2session, oauth2_access_token"):
        sandbox.script("login", refusal(-1))


def test_a_refusal_leaves_the_code_good(sandbox, server, shop):
    sandbox.script("jscode2session", refusal(-1))
    js_code = sandbox.wx_login(shop, "alice")

    refused = server.jscode2session(js_code)

    assert refused["errcode"] == -1
    assert refused["errmsg"].startswith("system error")
    assert "openid" in server.jscode2session(js_code)


def test_a_refusal_can_be_told_to_use_the_code_up(sandbox, server, shop):
    sandbox.script("jscode2session", Fault(FaultKind.REFUSAL, errcode=-1, consumes_code=True))
    js_code = sandbox.wx_login(shop, "alice")

    assert server.jscode2session(js_code)["errcode"] == -1
    assert server.jscode2session(js_code)["errcode"] == 40163


def test_any_errcode_can_be_scripted(sandbox, server):
    sandbox.script("stable_token", refusal(89503, "not this time"))

    answer = server.stable_token()

    assert answer["errcode"] == 89503
    assert answer["errmsg"].startswith("not this time")


@pytest.mark.parametrize("kind", ["connection_refused", "connect_timeout"])
def test_what_never_reaches_wechat_leaves_the_code_good(sandbox, server, exchange, shop, kind):
    sandbox.script("jscode2session", Fault(FaultKind(kind)))
    js_code = sandbox.wx_login(shop, "alice")

    assert exchange(js_code).fault == kind
    assert "openid" in server.jscode2session(js_code)


@pytest.mark.parametrize("kind", ["connection_dropped", "read_timeout"])
def test_a_lost_answer_leaves_the_code_used(sandbox, server, exchange, shop, kind):
    sandbox.script("jscode2session", Fault(FaultKind(kind)))
    js_code = sandbox.wx_login(shop, "alice")

    assert exchange(js_code).fault == kind
    assert server.jscode2session(js_code)["errcode"] == 40163


def test_latency_delays_the_true_answer(sandbox, exchange, shop):
    sandbox.script("jscode2session", latency(2.5))

    answer = exchange(sandbox.wx_login(shop, "alice"))

    assert answer.delay_seconds == 2.5
    assert json.loads(answer.body)["openid"] == openid_of(shop, "alice")


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (http_status(500), 500, {"Content-Type": "text/html"}),
        (
            http_status(302),
            302,
            {"Content-Type": "text/html", "Location": "https://portal.invalid/"},
        ),
        (Fault(FaultKind.HTML_PAGE), 200, {"Content-Type": "text/html"}),
        (Fault(FaultKind.EMPTY_BODY), 200, {"Content-Type": "text/html; charset=gbk"}),
    ],
)
def test_foreign_answers_are_not_json(sandbox, exchange, fault, status, headers):
    sandbox.script("jscode2session", fault)

    answer = exchange("unused")

    assert (answer.status, answer.headers) == (status, headers)
    assert not answer.body.startswith(b"{")
    assert (answer.body == b"") == (fault.kind is FaultKind.EMPTY_BODY)


def test_truncated_json_breaks_off(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.TRUNCATED_JSON))

    body = exchange(sandbox.wx_login(shop, "alice")).body

    assert body.startswith(b'{"session_key":')
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def test_invalid_utf8_can_be_read_with_replacement_only(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.INVALID_UTF8))

    body = exchange(sandbox.wx_login(shop, "alice")).body

    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode(errors="replace"))["openid"] == openid_of(shop, "alice")


def test_a_control_character_can_be_read_leniently_only(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.CONTROL_CHARACTER))

    body = exchange(sandbox.wx_login(shop, "alice")).body

    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert json.loads(body, strict=False)["openid"] == openid_of(shop, "alice")


def test_errcode_zero_may_stand_beside_the_data(sandbox, server, shop):
    sandbox.script("jscode2session", Fault(FaultKind.ERRCODE_ZERO), times=2)
    js_code = sandbox.wx_login(shop, "alice")

    assert server.jscode2session(js_code) == {
        "session_key": ANY,
        "openid": openid_of(shop, "alice"),
        "unionid": unionid_of(shop, "alice"),
        "errcode": 0,
        "errmsg": "ok",
    }
    assert server.jscode2session(js_code)["errcode"] == 40163


def test_unknown_fields_change_no_known_one(sandbox, server):
    sandbox.script("stable_token", Fault(FaultKind.UNKNOWN_FIELDS))

    odd, clean = server.stable_token(), server.stable_token()

    assert odd.items() >= clean.items()
    assert set(odd) > set(clean)


def test_the_country_code_may_be_a_number(sandbox, server, shop):
    sandbox.script("getuserphonenumber", Fault(FaultKind.NUMBER_COUNTRY_CODE))

    answer = server.getuserphonenumber(sandbox.get_phone_number(shop, "erin"))

    assert answer["phone_info"]["countryCode"] == 852


def test_a_fault_for_one_application_finds_it_in_every_call(sandbox, server, shop, other_shop):
    tokens = {app: server.stable_token(app)["access_token"] for app in (shop, other_shop)}
    for call in CALLS.values():
        sandbox.script(call, refusal(45011), app_id=other_shop)

    def errcodes(app):
        return [
            server.jscode2session("x", app_id=app).get("errcode"),
            server.oauth2_access_token("x", app_id=app).get("errcode"),
            server.token(app).get("errcode"),
            server.stable_token(app).get("errcode"),
            server.getuserphonenumber("x", tokens[app]).get("errcode"),
        ]

    assert errcodes(shop) == [40029, 40029, None, None, 40029]
    assert errcodes(other_shop) == [45011] * 5
    assert errcodes(other_shop) == [40029, 40029, None, None, 40029]


def test_a_fault_meets_even_a_call_that_names_no_application(sandbox, server):
    sandbox.script("stable_token", refusal(45011), times=2)

    assert server.post("/cgi-bin/stable_token", b"")["errcode"] == 45011
    assert server.stable_token(appid="\ud800")["errcode"] == 45011

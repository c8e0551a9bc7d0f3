import json
import re
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest

from identity_sources.sandbox import (
    Fault,
    FaultKind,
    InvalidFieldError,
    PhoneUnavailableError,
    SandboxRequest,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)
from identity_sources.sandbox.faults import http_status, latency, refusal

PHONE_PATH = "/wxa/business/getuserphonenumber"


def test_an_unknown_path_is_refused_as_wechat_does(server):
    assert server.get("/sns/nothing") == {"errcode": 40066, "errmsg": ANY}


@pytest.mark.parametrize(
    ("app_id", "person", "field"),
    [
        ("wx4f4bc4dec97d474b", "alice", "app_id"),
        ("wxsandbox000000001", "nobody", "person"),
    ],
)
def test_a_phone_outside_the_sandbox_gives_no_code(sandbox, app_id, person, field):
    for press in (sandbox.wx_login, sandbox.get_phone_number):
        with pytest.raises(InvalidFieldError) as refused:
            press(app_id, person)
        assert refused.value.field == field


class TestJscode2session:
    @pytest.mark.parametrize(
        ("changes", "errcode"),
        [
            ({"appid": None}, 41002),
            ({"appid": ""}, 41002),
            ({"secret": None}, 41004),
            ({"js_code": ""}, 41008),
            ({"grant_type": None}, 40002),
            ({"grant_type": "client_credential"}, 40002),
            ({"appid": "wx4f4bc4dec97d474b"}, 40013),
            ({"appid": " wxsandbox000000001"}, 40013),
            ({"secret": "0" * 32}, 40125),
            ({"secret": "密"}, 40125),
            ({"js_code": "the code is a mock one"}, 40029),
        ],
    )
    def test_a_wrong_parameter_is_refused_and_leaves_the_code_good(
        self, sandbox, server, shop, changes, errcode
    ):
        js_code = sandbox.wx_login(shop, "alice")

        assert server.jscode2session(js_code, **changes) == {"errcode": errcode, "errmsg": ANY}
        assert "openid" in server.jscode2session(js_code)

    def test_a_misspelt_code_is_a_missing_one(self, sandbox, server, shop):
        code = sandbox.wx_login(shop, "alice")

        assert server.jscode2session(None, code=code)["errcode"] == 41008

    def test_parameters_in_a_posts_body_are_missing_ones(self, server, shop):
        form = f"appid={shop}&secret={sandbox_app_secret(shop)}".encode()

        assert server.post("/sns/jscode2session", form)["errcode"] == 41002

    def test_a_used_code_is_refused(self, sandbox, server, shop):
        js_code = sandbox.wx_login(shop, "alice")
        server.jscode2session(js_code)

        assert server.jscode2session(js_code)["errcode"] == 40163

    def test_an_expired_code_is_refused(self, sandbox, server, clock, shop):
        js_code = sandbox.wx_login(shop, "alice")
        clock.advance(300)

        assert server.jscode2session(js_code)["errcode"] == 40029

    def test_another_applications_code_and_a_phone_code_are_refused(
        self, sandbox, server, shop, other_shop
    ):
        assert server.jscode2session(sandbox.wx_login(other_shop, "alice"))["errcode"] == 40029
        assert server.jscode2session(sandbox.get_phone_number(shop, "bob"))["errcode"] == 40029

    def test_a_blocked_person_gets_a_code_that_is_refused(self, sandbox, server, shop):
        js_code = sandbox.wx_login(shop, "mallory")

        assert server.jscode2session(js_code)["errcode"] == 40226
        assert server.jscode2session(js_code)["errcode"] == 40163

    def test_of_many_concurrent_exchanges_one_wins(self, sandbox, server, shop):
        js_code = sandbox.wx_login(shop, "alice")

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda _: server.jscode2session(js_code), range(50)))

        assert sum("openid" in answer for answer in answers) == 1
        assert sum(answer.get("errcode") == 40163 for answer in answers) == 49

    def test_the_session_has_the_documented_fields_in_the_observed_order(
        self, sandbox, server, shop
    ):
        session = server.jscode2session(sandbox.wx_login(shop, "alice"))

        assert list(session) == ["session_key", "openid", "unionid"]
        assert session["openid"] == openid_of(shop, "alice")
        assert session["unionid"] == unionid_of(shop, "alice")
        assert re.fullmatch(r"[A-Za-z0-9+/]{22}==", session["session_key"])

    def test_an_unbound_application_gets_no_unionid_key_at_all(self, sandbox, server, unbound_shop):
        js_code = sandbox.wx_login(unbound_shop, "alice")

        session = server.jscode2session(js_code, app_id=unbound_shop)

        assert session == {"session_key": ANY, "openid": openid_of(unbound_shop, "alice")}

    def test_every_login_brings_a_new_session_key(self, sandbox, server, shop):
        keys = {
            server.jscode2session(sandbox.wx_login(shop, "alice"))["session_key"] for _ in range(9)
        }

        assert len(keys) == 9

    def test_the_bytes_are_compact_with_escaped_slashes_under_text_plain(self, sandbox, shop):
        bodies = []
        for _ in range(100):
            js_code = sandbox.wx_login(shop, "alice")
            target = (
                f"/sns/jscode2session?appid={shop}&secret={sandbox_app_secret(shop)}"
                f"&js_code={js_code}&grant_type=authorization_code"
            )
            answer = sandbox.handle(SandboxRequest.from_target("GET", target))
            assert answer.headers == {"Content-Type": "text/plain"}
            bodies.append(answer.body)

        assert any(b"\\/" in body for body in bodies)
        assert not any(re.search(rb"(?<!\\)/|[ \n]", body) for body in bodies)


class TestTokenDoors:
    @pytest.mark.parametrize(
        ("changes", "errcode"),
        [
            ({"appid": None}, 41002),
            ({"secret": None}, 41004),
            ({"grant_type": "authorization_code"}, 40002),
            ({"grant_type": None}, 40002),
            ({"appid": "APPID"}, 40013),
            ({"secret": "APPSECRET"}, 40125),
        ],
    )
    def test_both_refuse_a_wrong_parameter(self, server, changes, errcode):
        assert server.token(**changes) == {"errcode": errcode, "errmsg": ANY}
        assert server.stable_token(**changes) == {"errcode": errcode, "errmsg": ANY}

    @pytest.mark.parametrize(
        ("body", "errcode"),
        [
            (b"", 44002),
            (b'{"appid":', 47001),
            (b"appid=APPID&secret=SECRET", 47001),
            (b"[1]", 47001),
            (b'{"appid":"\xff"}', 47001),
            (b'{"appid":5}', 47001),
            (b"[" * 100_000, 47001),
            (b'{"appid":"\\ud800","secret":"\\ud800","grant_type":"client_credential"}', 40013),
        ],
    )
    def test_stable_token_refuses_a_body_that_is_not_a_json_object_of_text(
        self, server, body, errcode
    ):
        assert server.post("/cgi-bin/stable_token", body)["errcode"] == errcode

    def test_stable_token_refuses_halves_of_characters_as_a_secret(self, server):
        assert server.stable_token(secret="\ud800")["errcode"] == 40125

    def test_stable_token_refuses_a_force_refresh_that_is_not_a_boolean(self, server):
        assert server.stable_token(force_refresh="true")["errcode"] == 47001

    def test_stable_token_takes_post_only(self, server, shop):
        query = {"appid": shop, "secret": sandbox_app_secret(shop)}

        assert server.get("/cgi-bin/stable_token", **query)["errcode"] == 43002

    def test_stable_token_tells_the_remaining_seconds(self, server, clock):
        first = server.stable_token()
        clock.advance(6900)
        again = server.stable_token()

        assert list(first) == ["access_token", "expires_in"]
        assert first["expires_in"] == 7200
        assert again == first | {"expires_in": 300}

    def test_force_refresh_gives_a_new_token(self, server):
        first = server.stable_token()["access_token"]

        assert server.stable_token(force_refresh=True)["access_token"] != first

    def test_token_gives_a_new_one_each_time(self, server):
        first, second = server.token(), server.token()

        assert first == {"access_token": ANY, "expires_in": 7200}
        assert first["access_token"] != second["access_token"]

    def test_the_21st_forced_refresh_is_refused(self, server, clock):
        clock.now = 1_700_000_000 // 86_400 * 86_400
        for _ in range(20):
            server.stable_token(force_refresh=True)
            clock.advance(30)

        assert server.stable_token(force_refresh=True)["errcode"] == 45009

    def test_answers_say_application_json_with_an_encoding_that_is_no_charset(self, sandbox):
        answer = sandbox.handle(SandboxRequest("GET", "/cgi-bin/token"))

        assert answer.status == 200
        assert answer.headers == {"Content-Type": "application/json; encoding=utf-8"}


class TestGetuserphonenumber:
    @pytest.mark.parametrize(
        ("access_token", "errcode"),
        [("", 41001), ("ACCESS_TOKEN", 40014), ("10_" + "x" * 132, 40001)],
    )
    def test_a_wrong_token_is_refused(self, sandbox, server, shop, access_token, errcode):
        code = sandbox.get_phone_number(shop, "alice")

        assert server.getuserphonenumber(code, access_token)["errcode"] == errcode
        assert server.getuserphonenumber(code)["errcode"] == 0

    def test_an_expired_token_is_refused(self, sandbox, server, clock, shop):
        access_token = server.stable_token()["access_token"]
        clock.advance(7200)
        code = sandbox.get_phone_number(shop, "alice")

        assert server.getuserphonenumber(code, access_token)["errcode"] == 42001

    def test_the_token_of_another_application_is_refused(self, sandbox, server, shop, other_shop):
        code = sandbox.get_phone_number(shop, "alice")
        access_token = server.stable_token(other_shop)["access_token"]

        assert server.getuserphonenumber(code, access_token)["errcode"] == 40013

    @pytest.mark.parametrize(
        ("body", "errcode"), [(b"", 44002), (b"code=1", 47001), (b"{}", 41008)]
    )
    def test_a_body_without_a_code_is_refused(self, server, body, errcode):
        access_token = server.stable_token()["access_token"]

        assert server.post(PHONE_PATH, body, access_token=access_token)["errcode"] == errcode

    def test_get_is_refused(self, server):
        assert server.get(PHONE_PATH)["errcode"] == 43002

    def test_a_used_an_expired_and_a_login_code_are_refused(self, sandbox, server, clock, shop):
        used, late = (sandbox.get_phone_number(shop, "alice") for _ in range(2))
        server.getuserphonenumber(used)

        assert server.getuserphonenumber(used)["errcode"] == 40163
        assert server.getuserphonenumber(sandbox.wx_login(shop, "alice"))["errcode"] == 40029
        clock.advance(300)
        assert server.getuserphonenumber(late)["errcode"] == 40029

    def test_anothers_openid_is_refused_and_costs_the_code(self, sandbox, server, shop, other_shop):
        for openid in (openid_of(shop, "bob"), openid_of(other_shop, "alice")):
            code = sandbox.get_phone_number(shop, "alice")
            assert server.getuserphonenumber(code, openid=openid)["errcode"] == 40003
            assert server.getuserphonenumber(code)["errcode"] == 40163

    def test_a_person_without_a_number_gives_no_code(self, sandbox, shop):
        with pytest.raises(PhoneUnavailableError) as refused:
            sandbox.get_phone_number(shop, "dave")

        assert refused.value.err_msg == "getPhoneNumber:fail user deny"

    def test_the_answer_has_the_documented_shape(self, sandbox, server, clock, shop):
        code = sandbox.get_phone_number(shop, "alice")
        pressed_at = int(clock())
        clock.advance(100)

        answer = server.getuserphonenumber(code, openid=openid_of(shop, "alice"))

        assert answer == {
            "errcode": 0,
            "errmsg": "ok",
            "phone_info": {
                "phoneNumber": "13800138001",
                "purePhoneNumber": "13800138001",
                "countryCode": "86",
                "watermark": {"timestamp": pressed_at, "appid": shop},
            },
        }

    def test_a_foreign_number_includes_the_calling_code(self, sandbox, server, shop):
        code = sandbox.get_phone_number(shop, "erin")

        phone_info = server.getuserphonenumber(code)["phone_info"]

        assert phone_info["phoneNumber"] == "85251234567"
        assert phone_info["purePhoneNumber"] == "51234567"
        assert phone_info["countryCode"] == "852"

    def test_tokens_of_both_families_are_taken(self, sandbox, server, shop):
        for access_token in (server.token()["access_token"], server.stable_token()["access_token"]):
            code = sandbox.get_phone_number(shop, "alice")
            assert server.getuserphonenumber(code, access_token)["errcode"] == 0


class TestScriptedFaults:
    @pytest.fixture
    def exchange(self, sandbox, shop):
        def exchange(js_code):
            target = (
                f"/sns/jscode2session?appid={shop}&secret={sandbox_app_secret(shop)}"
                f"&js_code={js_code}&grant_type=authorization_code"
            )
            return sandbox.handle(SandboxRequest.from_target("GET", target))

        return exchange

    def test_a_script_for_an_unknown_call_is_refused(self, sandbox):
        with pytest.raises(ValueError, match="call must be one of jscode2session, stable_token"):
            sandbox.script("login", refusal(-1))

    def test_a_refusal_leaves_the_code_good(self, sandbox, server, shop):
        sandbox.script("jscode2session", refusal(-1))
        js_code = sandbox.wx_login(shop, "alice")

        refused = server.jscode2session(js_code)

        assert refused["errcode"] == -1
        assert refused["errmsg"].startswith("system error")
        assert "openid" in server.jscode2session(js_code)

    def test_a_refusal_can_be_told_to_use_the_code_up(self, sandbox, server, shop):
        sandbox.script("jscode2session", Fault(FaultKind.REFUSAL, errcode=-1, consumes_code=True))
        js_code = sandbox.wx_login(shop, "alice")

        assert server.jscode2session(js_code)["errcode"] == -1
        assert server.jscode2session(js_code)["errcode"] == 40163

    def test_any_errcode_can_be_scripted(self, sandbox, server):
        sandbox.script("stable_token", refusal(89503, "not this time"))

        answer = server.stable_token()

        assert answer["errcode"] == 89503
        assert answer["errmsg"].startswith("not this time")

    @pytest.mark.parametrize("kind", ["connection_refused", "connect_timeout"])
    def test_what_never_reaches_wechat_leaves_the_code_good(
        self, sandbox, server, exchange, shop, kind
    ):
        sandbox.script("jscode2session", Fault(FaultKind(kind)))
        js_code = sandbox.wx_login(shop, "alice")

        assert exchange(js_code).fault == kind
        assert "openid" in server.jscode2session(js_code)

    @pytest.mark.parametrize("kind", ["connection_dropped", "read_timeout"])
    def test_a_lost_answer_leaves_the_code_used(self, sandbox, server, exchange, shop, kind):
        sandbox.script("jscode2session", Fault(FaultKind(kind)))
        js_code = sandbox.wx_login(shop, "alice")

        assert exchange(js_code).fault == kind
        assert server.jscode2session(js_code)["errcode"] == 40163

    def test_latency_delays_the_true_answer(self, sandbox, exchange, shop):
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
    def test_foreign_answers_are_not_json(self, sandbox, exchange, fault, status, headers):
        sandbox.script("jscode2session", fault)

        answer = exchange("unused")

        assert (answer.status, answer.headers) == (status, headers)
        assert not answer.body.startswith(b"{")
        assert (answer.body == b"") == (fault.kind is FaultKind.EMPTY_BODY)

    def test_truncated_json_breaks_off(self, sandbox, exchange, shop):
        sandbox.script("jscode2session", Fault(FaultKind.TRUNCATED_JSON))

        body = exchange(sandbox.wx_login(shop, "alice")).body

        assert body.startswith(b'{"session_key":')
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)

    def test_invalid_utf8_can_be_read_with_replacement_only(self, sandbox, exchange, shop):
        sandbox.script("jscode2session", Fault(FaultKind.INVALID_UTF8))

        body = exchange(sandbox.wx_login(shop, "alice")).body

        with pytest.raises(UnicodeDecodeError):
            body.decode()
        assert json.loads(body.decode(errors="replace"))["openid"] == openid_of(shop, "alice")

    def test_a_control_character_can_be_read_leniently_only(self, sandbox, exchange, shop):
        sandbox.script("jscode2session", Fault(FaultKind.CONTROL_CHARACTER))

        body = exchange(sandbox.wx_login(shop, "alice")).body

        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
        assert json.loads(body, strict=False)["openid"] == openid_of(shop, "alice")

    def test_errcode_zero_may_stand_beside_the_data(self, sandbox, server, shop):
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

    def test_unknown_fields_change_no_known_one(self, sandbox, server):
        sandbox.script("stable_token", Fault(FaultKind.UNKNOWN_FIELDS))

        odd, clean = server.stable_token(), server.stable_token()

        assert odd.items() >= clean.items()
        assert set(odd) > set(clean)

    def test_the_country_code_may_be_a_number(self, sandbox, server, shop):
        sandbox.script("getuserphonenumber", Fault(FaultKind.NUMBER_COUNTRY_CODE))

        answer = server.getuserphonenumber(sandbox.get_phone_number(shop, "erin"))

        assert answer["phone_info"]["countryCode"] == 852

    def test_a_fault_for_one_application_finds_it_in_every_call(
        self, sandbox, server, shop, other_shop
    ):
        tokens = {app: server.stable_token(app)["access_token"] for app in (shop, other_shop)}
        for call in ("jscode2session", "token", "stable_token", "getuserphonenumber"):
            sandbox.script(call, refusal(45011), app_id=other_shop)

        def errcodes(app):
            return [
                server.jscode2session("x", app_id=app).get("errcode"),
                server.token(app).get("errcode"),
                server.stable_token(app).get("errcode"),
                server.getuserphonenumber("x", tokens[app]).get("errcode"),
            ]

        assert errcodes(shop) == [40029, None, None, 40029]
        assert errcodes(other_shop) == [45011] * 4
        assert errcodes(other_shop) == [40029, None, None, 40029]

    def test_a_fault_meets_even_a_call_that_names_no_application(self, sandbox, server):
        sandbox.script("stable_token", refusal(45011), times=2)

        assert server.post("/cgi-bin/stable_token", b"")["errcode"] == 45011
        assert server.stable_token(appid="\ud800")["errcode"] == 45011

    def test_a_cleared_script_does_not_happen(self, sandbox, server):
        sandbox.script("token", refusal(45011), times=100)
        sandbox.clear_script("token")

        assert "access_token" in server.token()

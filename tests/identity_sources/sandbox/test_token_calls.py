from unittest.mock import ANY

import pytest

from identity_sources.sandbox import SandboxRequest, sandbox_app_secret


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
def test_both_refuse_a_wrong_parameter(server, changes, errcode):
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
def test_stable_token_refuses_a_body_that_is_not_a_json_object_of_text(server, body, errcode):
    assert server.post("/cgi-bin/stable_token", body)["errcode"] == errcode


def test_stable_token_refuses_halves_of_characters_as_a_secret(server):
    assert server.stable_token(secret="\ud800")["errcode"] == 40125


def test_stable_token_refuses_a_force_refresh_that_is_not_a_boolean(server):
    assert server.stable_token(force_refresh="true")["errcode"] == 47001


def test_stable_token_takes_post_only(server, shop):
    query = {"appid": shop, "secret": sandbox_app_secret(shop)}

    assert server.get("/cgi-bin/stable_token", **query)["errcode"] == 43002


def test_stable_token_tells_the_remaining_seconds(server, clock):
    first = server.stable_token()
    clock.advance(6900)
    again = server.stable_token()

    assert list(first) == ["access_token", "expires_in"]
    assert first["expires_in"] == 7200
    assert again == first | {"expires_in": 300}


def test_force_refresh_gives_a_new_token(server):
    first = server.stable_token()["access_token"]

    assert server.stable_token(force_refresh=True)["access_token"] != first


def test_token_gives_a_new_one_each_time(server):
    first, second = server.token(), server.token()

    assert first == {"access_token": ANY, "expires_in": 7200}
    assert first["access_token"] != second["access_token"]


def test_the_21st_forced_refresh_is_refused(server, clock):
    clock.now = 1_700_000_000 // 86_400 * 86_400
    for _ in range(20):
        server.stable_token(force_refresh=True)
        clock.advance(30)

    assert server.stable_token(force_refresh=True)["errcode"] == 45009


def test_answers_say_application_json_with_an_encoding_that_is_no_charset(sandbox):
    answer = sandbox.handle(SandboxRequest("GET", "/cgi-bin/token"))

    assert answer.status == 200
    assert answer.headers == {"Content-Type": "application/json; encoding=utf-8"}

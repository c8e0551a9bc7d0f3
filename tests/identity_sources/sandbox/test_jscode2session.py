import re
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest

from identity_sources.sandbox import (
    SandboxRequest,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)


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
    sandbox, server, shop, changes, errcode
):
    js_code = sandbox.wx_login(shop, "alice")

    assert server.jscode2session(js_code, **changes) == {"errcode": errcode, "errmsg": ANY}
    assert "openid" in server.jscode2session(js_code)


def test_a_misspelt_code_is_a_missing_one(sandbox, server, shop):
    code = sandbox.wx_login(shop, "alice")

    assert server.jscode2session(None, code=code)["errcode"] == 41008


def test_parameters_in_a_posts_body_are_missing_ones(server, shop):
    form = f"appid={shop}&secret={sandbox_app_secret(shop)}".encode()

    assert server.post("/sns/jscode2session", form)["errcode"] == 41002


def test_a_used_code_is_refused(sandbox, server, shop):
    js_code = sandbox.wx_login(shop, "alice")
    server.jscode2session(js_code)

    assert server.jscode2session(js_code)["errcode"] == 40163


def test_an_expired_code_is_refused(sandbox, server, clock, shop):
    js_code = sandbox.wx_login(shop, "alice")
    clock.advance(300)

    assert server.jscode2session(js_code)["errcode"] == 40029


def test_another_applications_code_and_a_phone_code_are_refused(sandbox, server, shop, other_shop):
    assert server.jscode2session(sandbox.wx_login(other_shop, "alice"))["errcode"] == 40029
    assert server.jscode2session(sandbox.get_phone_number(shop, "bob"))["errcode"] == 40029


def test_a_blocked_person_gets_a_code_that_is_refused(sandbox, server, shop):
    js_code = sandbox.wx_login(shop, "mallory")

    assert server.jscode2session(js_code)["errcode"] == 40226
    assert server.jscode2session(js_code)["errcode"] == 40163


def test_of_many_concurrent_exchanges_one_wins(sandbox, server, shop):
    js_code = sandbox.wx_login(shop, "alice")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: server.jscode2session(js_code), range(50)))

    assert sum("openid" in answer for answer in answers) == 1
    assert sum(answer.get("errcode") == 40163 for answer in answers) == 49


def test_the_session_has_the_documented_fields_in_the_observed_order(sandbox, server, shop):
    session = server.jscode2session(sandbox.wx_login(shop, "alice"))

    assert list(session) == ["session_key", "openid", "unionid"]
    assert session["openid"] == openid_of(shop, "alice")
    assert session["unionid"] == unionid_of(shop, "alice")
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}==", session["session_key"])


def test_an_unbound_application_gets_no_unionid_key_at_all(sandbox, server, unbound_shop):
    js_code = sandbox.wx_login(unbound_shop, "alice")

    session = server.jscode2session(js_code, app_id=unbound_shop)

    assert session == {"session_key": ANY, "openid": openid_of(unbound_shop, "alice")}


def test_every_login_brings_a_new_session_key(sandbox, server, shop):
    keys = {server.jscode2session(sandbox.wx_login(shop, "alice"))["session_key"] for _ in range(9)}

    assert len(keys) == 9


def test_the_bytes_are_compact_with_escaped_slashes_under_text_plain(sandbox, shop):
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

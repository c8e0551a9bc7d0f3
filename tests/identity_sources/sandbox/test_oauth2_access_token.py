import re
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import ANY

import pytest

from identity_sources.sandbox import (
    BlockedError,
    InvalidFieldError,
    SandboxRequest,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)
from identity_sources.sandbox.codes import CodeKind, Codes
from identity_sources.sandbox.faults import refusal


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"appid": None}, 41002),
        ({"secret": ""}, 41004),
        ({"code": None}, 41008),
        ({"code": None, "js_code": "0" * 32}, 41008),
        ({"grant_type": "refresh_token"}, 40002),
        ({"appid": "wx4f4bc4dec97d474b"}, 40013),
        ({"secret": "0" * 32}, 40125),
        ({"code": "0" * 32}, 40029),
    ],
)
def test_a_wrong_parameter_is_refused_and_leaves_the_code_good(
    sandbox, server, shop, changes, errcode
):
    code = sandbox.qrconnect(shop, "alice")

    assert server.oauth2_access_token(code, **changes) == {"errcode": errcode, "errmsg": ANY}
    assert "openid" in server.oauth2_access_token(code)


def test_a_code_is_good_once_and_for_ten_minutes(sandbox, server, clock, shop):
    used, late = sandbox.qrconnect(shop, "alice"), sandbox.qrconnect(shop, "alice")

    clock.advance(599)
    assert "openid" in server.oauth2_access_token(used)
    assert server.oauth2_access_token(used)["errcode"] == 40163
    clock.advance(1)
    assert server.oauth2_access_token(late)["errcode"] == 40029


def test_codes_of_others_are_refused(sandbox, server, shop, other_shop):
    assert server.oauth2_access_token(sandbox.qrconnect(other_shop, "bob"))["errcode"] == 40029
    assert server.oauth2_access_token(sandbox.wx_login(shop, "bob"))["errcode"] == 40029
    assert server.oauth2_access_token(sandbox.get_phone_number(shop, "bob"))["errcode"] == 40029
    assert server.jscode2session(sandbox.qrconnect(shop, "bob"))["errcode"] == 40029


def test_of_many_concurrent_exchanges_one_wins(sandbox, server, shop):
    code = sandbox.qrconnect(shop, "alice")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: server.oauth2_access_token(code), range(50)))

    assert sum("openid" in answer for answer in answers) == 1
    assert sum(answer.get("errcode") == 40163 for answer in answers) == 49


def test_the_answer_has_the_documented_fields_in_their_order(sandbox, server, shop):
    answer = server.oauth2_access_token(sandbox.qrconnect(shop, "alice"))

    assert list(answer.items()) == [
        ("access_token", ANY),
        ("expires_in", 7200),
        ("refresh_token", ANY),
        ("openid", openid_of(shop, "alice")),
        ("scope", "snsapi_login"),
        ("unionid", unionid_of(shop, "alice")),
    ]
    assert re.fullmatch(r"[0-9]{2}_[A-Za-z0-9_-]{100,200}", answer["access_token"])
    assert answer["access_token"] != answer["refresh_token"]


def test_an_unbound_application_gets_no_unionid_key_at_all(sandbox, server, unbound_shop):
    code = sandbox.qrconnect(unbound_shop, "alice")

    assert "unionid" not in server.oauth2_access_token(code, app_id=unbound_shop)


@pytest.mark.parametrize(
    ("kind", "scope"),
    [(CodeKind.OFFICIAL_ACCOUNT, "snsapi_userinfo"), (CodeKind.MOBILE_APP, "snsapi_userinfo")],
)
def test_official_accounts_and_mobile_apps_have_the_same_call(
    server, store, clock, shop, kind, scope
):
    code = Codes(store, clock).issue(kind, app_id=shop, person="alice")

    answer = server.oauth2_access_token(code)

    assert (answer["openid"], answer["scope"]) == (openid_of(shop, "alice"), scope)


def test_the_answer_is_plain_text_and_a_post_has_no_parameters(sandbox, server, shop):
    target = (
        f"/sns/oauth2/access_token?appid={shop}&secret={sandbox_app_secret(shop)}"
        f"&code={sandbox.qrconnect(shop, 'alice')}&grant_type=authorization_code"
    )
    answer = sandbox.handle(SandboxRequest.from_target("GET", target))
    form = f"appid={shop}&secret={sandbox_app_secret(shop)}".encode()

    assert answer.headers == {"Content-Type": "text/plain"}
    assert server.post("/sns/oauth2/access_token", form)["errcode"] == 41002


def test_a_fault_can_be_scripted_under_the_calls_name(sandbox, server, shop):
    sandbox.script("oauth2_access_token", refusal(45011))
    code = sandbox.qrconnect(shop, "alice")

    assert server.oauth2_access_token(code)["errcode"] == 45011
    assert "openid" in server.oauth2_access_token(code)


def test_a_blocked_person_gets_no_code(sandbox, shop):
    with pytest.raises(BlockedError):
        sandbox.qrconnect(shop, "mallory")


@pytest.mark.parametrize(
    ("app_id", "person", "field"),
    [("wx4f4bc4dec97d474b", "alice", "app_id"), ("wxsandbox000000001", "nobody", "person")],
)
def test_who_is_not_there_gets_no_code(sandbox, app_id, person, field):
    with pytest.raises(InvalidFieldError) as refused:
        sandbox.qrconnect(app_id, person)

    assert refused.value.field == field

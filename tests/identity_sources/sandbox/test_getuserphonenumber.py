import pytest

from identity_sources.sandbox import PhoneUnavailableError, openid_of

PHONE_PATH = "/wxa/business/getuserphonenumber"


@pytest.mark.parametrize(
    ("access_token", "errcode"),
    [("", 41001), ("ACCESS_TOKEN", 40014), ("10_" + "x" * 132, 40001)],
)
def test_a_wrong_token_is_refused(sandbox, server, shop, access_token, errcode):
    code = sandbox.get_phone_number(shop, "alice")

    assert server.getuserphonenumber(code, access_token)["errcode"] == errcode
    assert server.getuserphonenumber(code)["errcode"] == 0


def test_an_expired_token_is_refused(sandbox, server, clock, shop):
    access_token = server.stable_token()["access_token"]
    clock.advance(7200)
    code = sandbox.get_phone_number(shop, "alice")

    assert server.getuserphonenumber(code, access_token)["errcode"] == 42001


def test_the_token_of_another_application_is_refused(sandbox, server, shop, other_shop):
    code = sandbox.get_phone_number(shop, "alice")
    access_token = server.stable_token(other_shop)["access_token"]

    assert server.getuserphonenumber(code, access_token)["errcode"] == 40013


@pytest.mark.parametrize(("body", "errcode"), [(b"", 44002), (b"code=1", 47001), (b"{}", 41008)])
def test_a_body_without_a_code_is_refused(server, body, errcode):
    access_token = server.stable_token()["access_token"]

    assert server.post(PHONE_PATH, body, access_token=access_token)["errcode"] == errcode


def test_get_is_refused(server):
    assert server.get(PHONE_PATH)["errcode"] == 43002


def test_a_used_an_expired_and_a_login_code_are_refused(sandbox, server, clock, shop):
    used, late = (sandbox.get_phone_number(shop, "alice") for _ in range(2))
    server.getuserphonenumber(used)

    assert server.getuserphonenumber(used)["errcode"] == 40163
    assert server.getuserphonenumber(sandbox.wx_login(shop, "alice"))["errcode"] == 40029
    clock.advance(300)
    assert server.getuserphonenumber(late)["errcode"] == 40029


def test_anothers_openid_is_refused_and_costs_the_code(sandbox, server, shop, other_shop):
    for openid in (openid_of(shop, "bob"), openid_of(other_shop, "alice")):
        code = sandbox.get_phone_number(shop, "alice")
        assert server.getuserphonenumber(code, openid=openid)["errcode"] == 40003
        assert server.getuserphonenumber(code)["errcode"] == 40163


def test_a_person_without_a_number_gives_no_code(sandbox, shop):
    with pytest.raises(PhoneUnavailableError) as refused:
        sandbox.get_phone_number(shop, "dave")

    assert refused.value.err_msg == "getPhoneNumber:fail user deny"


def test_the_answer_has_the_documented_shape(sandbox, server, clock, shop):
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


def test_a_foreign_number_includes_the_calling_code(sandbox, server, shop):
    code = sandbox.get_phone_number(shop, "erin")

    phone_info = server.getuserphonenumber(code)["phone_info"]

    assert phone_info["phoneNumber"] == "85251234567"
    assert phone_info["purePhoneNumber"] == "51234567"
    assert phone_info["countryCode"] == "852"


def test_tokens_of_both_families_are_taken(sandbox, server, shop):
    for access_token in (server.token()["access_token"], server.stable_token()["access_token"]):
        code = sandbox.get_phone_number(shop, "alice")
        assert server.getuserphonenumber(code, access_token)["errcode"] == 0

"""What the client tells its observer, and the HTTP session it runs on."""

import time
from unittest.mock import ANY

import pytest

from config.kernel.http import new_session
from identity_sources.wechat import errors
from identity_sources.wechat.client import CallRecord, WeChatClient

API_URL = "https://api.weixin.qq.com"
LOGIN_URL = f"{API_URL}/sns/jscode2session"
OAUTH_URL = f"{API_URL}/sns/oauth2/access_token"
TOKEN_URL = f"{API_URL}/cgi-bin/stable_token"
PHONE_URL = f"{API_URL}/wxa/business/getuserphonenumber"
RID = "65f3e9f7-77cf1a1c-0dd74a0e"
SESSION = {
    "session_key": "AAECAwQFBgcICQoLDA0ODw==",
    "openid": "oFAKEfake0000000000000000001",
}


def _refused(errcode):
    return {"errcode": errcode, "errmsg": f"refused, rid: {RID}"}


def test_a_successful_call_is_recorded(client, wechat, login, records):
    wechat.get(LOGIN_URL, json=SESSION)

    client.jscode2session(**login)

    assert records == [
        CallRecord(
            call="jscode2session",
            request=(
                f"GET {LOGIN_URL}?appid=wx0123456789abcdef&secret=***&js_code=***"
                "&grant_type=authorization_code"
            ),
            answer={"session_key": "***", "openid": "***"},
            milliseconds=ANY,
            attempts=1,
            errcode=0,
            errmsg="",
            rid=None,
            reason=None,
            settings_accepted=True,
        )
    ]


def test_an_oauth_login_is_recorded_without_its_tokens(client, wechat, oauth, records):
    tokens = {"access_token": "99_TokenOfAlice", "refresh_token": "99_RefreshTokenOfAlice"}
    wechat.get(OAUTH_URL, json=tokens | {"openid": SESSION["openid"], "scope": "snsapi_login"})

    client.oauth2_access_token(**oauth)

    (record,) = records
    assert record.request == (
        f"GET {OAUTH_URL}?appid=wx0123456789abcdef&secret=***&code=***"
        "&grant_type=authorization_code"
    )
    assert record.answer == dict.fromkeys([*tokens, "openid", "scope"], "***")
    assert (record.call, record.settings_accepted) == ("oauth2_access_token", True)


def test_a_refused_oauth_login_quotes_no_token(client, wechat, oauth, records):
    answer = {"access_token": "99_TokenOfAlice", "errcode": 40029}
    wechat.get(OAUTH_URL, json=answer | {"errmsg": f"no 99_TokenOfAlice {oauth['code']}"})

    with pytest.raises(errors.InvalidCode) as caught:
        client.oauth2_access_token(**oauth)

    assert caught.value.errmsg == records[0].errmsg == "no *** ***"


def test_a_call_with_a_body_is_recorded_with_the_bodys_fields(
    client, wechat, mini_program, records
):
    wechat.post(TOKEN_URL, json={"access_token": "99_AccessTokenOfAcme", "expires_in": 7200})

    client.stable_token(**mini_program)

    assert records[0].request == (
        f'POST {TOKEN_URL} {{"grant_type": "client_credential", "appid": "wx0123456789abcdef",'
        ' "secret": "***", "force_refresh": false}'
    )
    assert records[0].answer == {"access_token": "***", "expires_in": 7200}


def test_a_phone_number_is_recorded_as_one_masked_field(client, wechat, phone, records):
    info = {
        "phoneNumber": "13800138001",
        "purePhoneNumber": "13800138001",
        "countryCode": "86",
        "watermark": {"timestamp": 1_700_000_000, "appid": "wx0123456789abcdef"},
    }
    wechat.post(PHONE_URL, json={"errcode": 0, "errmsg": "ok", "phone_info": info})

    client.getuserphonenumber(**phone)

    assert records[0].request == (
        f'POST {PHONE_URL}?access_token=*** {{"code": "***", "openid": "***"}}'
    )
    assert records[0].answer == {"errcode": 0, "errmsg": "ok", "phone_info": "***"}
    assert records[0].errmsg == ""


def test_the_address_that_was_really_asked_is_recorded(client_for, closed_port, login, records):
    with pytest.raises(errors.WeChatUnavailable):
        client_for(f"http://127.0.0.1:{closed_port}/").jscode2session(**login)

    assert records[0].request.startswith(
        f"GET http://127.0.0.1:{closed_port}/sns/jscode2session?appid="
    )
    assert (records[0].answer, records[0].reason) == ({}, "connect_failed")


def test_a_refused_call_is_recorded_with_its_request_id(client, wechat, phone, records):
    wechat.post(PHONE_URL, json=_refused(-1))
    wechat.post(PHONE_URL, json=_refused(40029))

    with pytest.raises(errors.InvalidCode):
        client.getuserphonenumber(**phone)

    assert records == [
        CallRecord(
            call="getuserphonenumber",
            request=ANY,
            answer=_refused(40029),
            milliseconds=ANY,
            attempts=2,
            errcode=40029,
            errmsg=f"refused, rid: {RID}",
            rid=RID,
            reason=None,
            settings_accepted=True,
        )
    ]


def test_a_call_without_usable_answer_is_recorded_with_its_reason(
    client, wechat, mini_program, records
):
    wechat.post(TOKEN_URL, body=b'{"access_token":""}')

    with pytest.raises(errors.WeChatUnavailable):
        client.stable_token(**mini_program)

    assert records == [
        CallRecord(
            call="stable_token",
            request=ANY,
            answer={"access_token": "***"},
            milliseconds=ANY,
            attempts=1,
            errcode=None,
            errmsg="",
            rid=None,
            reason="unreadable",
            settings_accepted=None,
        )
    ]


@pytest.mark.parametrize(
    ("errcode", "accepted"), [(40125, False), (40029, True), (-1, None), (48001, None)]
)
def test_a_refusal_is_recorded_with_what_it_says_of_the_settings(
    client, wechat, login, records, errcode, accepted
):
    wechat.get(LOGIN_URL, json=_refused(errcode))

    with pytest.raises(errors.WeChatRefusal):
        client.jscode2session(**login)

    assert records[0].settings_accepted is accepted


def test_with_an_access_token_another_apps_code_says_nothing_of_the_settings(
    client, wechat, phone, records
):
    wechat.post(PHONE_URL, json=_refused(40013))

    with pytest.raises(errors.InvalidCode):
        client.getuserphonenumber(**phone)

    assert records[0].settings_accepted is None


def test_the_recorded_time_includes_the_repetition(wechat, login, records):
    client = WeChatClient(
        new_session(pool_size=1, proxy_url=None),
        api_url=API_URL,
        timeout=(1, 1),
        observer=records.append,
        pause=lambda _seconds: time.sleep(0.03),
    )
    wechat.get(LOGIN_URL, json=_refused(-1))

    with pytest.raises(errors.SystemBusy):
        client.jscode2session(**login)

    assert 30 <= records[0].milliseconds < 5000


def test_a_client_works_without_an_observer(wechat, login):
    wechat.get(LOGIN_URL, json=SESSION)
    session = new_session(pool_size=1, proxy_url=None)

    client = WeChatClient(session, api_url=API_URL, timeout=(1, 1))

    assert client.jscode2session(**login).openid == SESSION["openid"]


def test_cookies_are_neither_stored_nor_sent(wechat, mini_program):
    session = new_session(pool_size=1, proxy_url=None)
    client = WeChatClient(session, api_url=API_URL, timeout=(1, 1))
    answer = {"access_token": "99_Token", "expires_in": 7200}
    wechat.post(TOKEN_URL, json=answer, headers={"Set-Cookie": "a=b; Path=/"})

    client.stable_token(**mini_program)
    client.stable_token(**mini_program)

    assert list(session.cookies) == []
    assert [call.request.headers.get("Cookie") for call in wechat.calls] == [None, None]

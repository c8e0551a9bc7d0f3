"""The calls against mocked answers: what is sent, what is repeated, what comes back."""

import json
from unittest.mock import ANY

import pytest
import requests
from responses import matchers
from urllib3.exceptions import LocationParseError

from identity_sources.wechat import errors
from identity_sources.wechat.answers import (
    AppAccessToken,
    MiniProgramSession,
    OAuthIdentity,
    PhoneNumber,
)

API_URL = "https://api.weixin.qq.com"
LOGIN_URL = f"{API_URL}/sns/jscode2session"
OAUTH_URL = f"{API_URL}/sns/oauth2/access_token"
TOKEN_URL = f"{API_URL}/cgi-bin/stable_token"
PHONE_URL = f"{API_URL}/wxa/business/getuserphonenumber"
RID = "65f3e9f7-77cf1a1c-0dd74a0e"
SESSION = {
    "session_key": "AAECAwQFBgcICQoLDA0ODw==",
    "openid": "oFAKEfake0000000000000000001",
    "unionid": "oFAKEunion00000000000000001A",
}
IDENTITY = {
    "access_token": "99_TokenOfAlice",
    "expires_in": 7200,
    "refresh_token": "99_RefreshTokenOfAlice",
    "openid": "oFAKEfake0000000000000000001",
    "scope": "snsapi_login",
    "unionid": "oFAKEunion00000000000000001A",
}
PHONE = {
    "errcode": 0,
    "errmsg": "ok",
    "phone_info": {
        "phoneNumber": "13800138000",
        "purePhoneNumber": "13800138000",
        "countryCode": "86",
        "watermark": {"timestamp": 1700000000, "appid": "wx0123456789abcdef"},
    },
}


def _refused(errcode, errmsg="refused"):
    return {"errcode": errcode, "errmsg": f"{errmsg}, rid: {RID}"}


def test_a_code_used_twice_is_refused_as_already_used(client, wechat, login):
    wechat.get(LOGIN_URL, json=_refused(40163, "code been used"), content_type="text/plain")

    with pytest.raises(errors.CodeAlreadyUsed) as caught:
        client.jscode2session(**login)

    assert (caught.value.call, caught.value.errcode) == ("jscode2session", 40163)
    assert caught.value.rid == RID


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (40029, errors.InvalidCode),
        ("40029", errors.InvalidCode),
        (40226, errors.UserBlocked),
        (45011, errors.LimitReached),
        (40001, errors.SourceMisconfigured),
        (40013, errors.SourceMisconfigured),
        (41008, errors.MalformedCall),
        (12345, errors.SourceMisconfigured),
    ],
)
def test_a_refused_login_is_not_repeated(client, wechat, login, errcode, kind):
    wechat.get(LOGIN_URL, json={"errcode": errcode, "errmsg": "no"})

    with pytest.raises(kind):
        client.jscode2session(**login)

    assert len(wechat.calls) == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_stale_access_token_is_rejected_for_the_phone_number(client, wechat, phone, errcode):
    wechat.post(PHONE_URL, json=_refused(errcode))

    with pytest.raises(errors.AccessTokenRejected):
        client.getuserphonenumber(**phone)


def test_a_phone_code_of_another_person_is_refused(client, wechat, phone):
    wechat.post(PHONE_URL, json=_refused(40003, "invalid openid"))

    with pytest.raises(errors.OpenIdMismatch):
        client.getuserphonenumber(**phone)


@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 403, 404, 429, 500, 502, 503])
def test_another_status_is_unavailable_and_not_repeated(client, wechat, login, status):
    wechat.get(LOGIN_URL, json=SESSION, status=status, headers={"Location": f"{LOGIN_URL}/"})

    with pytest.raises(errors.WeChatUnavailable) as caught:
        client.jscode2session(**login)

    assert (caught.value.reason, caught.value.status) == ("bad_status", status)
    assert len(wechat.calls) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty_answer"),
        (b"<html>busy</html>", "unreadable"),
        (b"{}", "unreadable"),
        (b'{"errcode":0}', "unreadable"),
        (b'{"openid":"o1","session_key":7}', "unreadable"),
        (b'{"errcode":"x"}', "unreadable"),
        (b'{"a":"' + b"x" * 1024 * 1024 + b'"}', "too_large"),
    ],
)
def test_an_answer_of_no_use_is_unavailable_and_not_repeated(client, wechat, login, body, reason):
    wechat.get(LOGIN_URL, body=body)

    with pytest.raises(errors.WeChatUnavailable) as caught:
        client.jscode2session(**login)

    assert caught.value.reason == reason
    assert len(wechat.calls) == 1


def test_an_answer_of_the_largest_size_is_read(client, wechat, login):
    start = json.dumps({**SESSION, "pad": ""}).removesuffix('"}')
    wechat.get(LOGIN_URL, body=start + "x" * (1024 * 1024 - len(start) - 2) + '"}')

    assert client.jscode2session(**login).openid == SESSION["openid"]


def test_a_read_time_out_is_not_repeated(client, wechat, login, pauses):
    wechat.get(LOGIN_URL, body=requests.ReadTimeout())

    with pytest.raises(errors.WeChatUnavailable) as caught:
        client.jscode2session(**login)

    assert caught.value.reason == "timed_out"
    assert len(wechat.calls) == 1
    assert pauses == []


def test_a_failure_that_requests_does_not_wrap_is_unavailable_too(client, wechat, login):
    wechat.get(LOGIN_URL, body=LocationParseError("https://h/p?secret=S3cret"))

    with pytest.raises(errors.WeChatUnavailable) as caught:
        client.jscode2session(**login)

    assert caught.value.reason == "broken_connection"
    assert caught.value.__context__ is None


def test_a_failed_connect_is_repeated_once_and_no_more(client, wechat, login, pauses):
    wechat.get(LOGIN_URL, body=requests.ConnectTimeout())

    with pytest.raises(errors.WeChatUnavailable) as caught:
        client.jscode2session(**login)

    assert caught.value.reason == "connect_failed"
    assert len(wechat.calls) == 2
    assert pauses == [0.2]


def test_a_busy_system_is_asked_once_more_and_no_more(client, wechat, login):
    wechat.get(LOGIN_URL, json=_refused(-1, "system error"))

    with pytest.raises(errors.SystemBusy):
        client.jscode2session(**login)

    assert len(wechat.calls) == 2


def test_a_failed_connect_and_a_busy_system_share_one_repetition(client, wechat, login):
    wechat.get(LOGIN_URL, body=requests.ConnectTimeout())
    wechat.get(LOGIN_URL, json=_refused(-1))

    with pytest.raises(errors.SystemBusy):
        client.jscode2session(**login)

    assert len(wechat.calls) == 2


def test_a_code_spent_by_a_busy_system_is_refused_as_already_used(client, wechat, login):
    wechat.get(LOGIN_URL, json=_refused(-1))
    wechat.get(LOGIN_URL, json=_refused(40163))

    with pytest.raises(errors.CodeAlreadyUsed):
        client.jscode2session(**login)


@pytest.mark.parametrize(
    ("call", "method", "url", "given"),
    [
        ("oauth2_access_token", "GET", OAUTH_URL, "oauth"),
        ("stable_token", "POST", TOKEN_URL, "mini_program"),
        ("getuserphonenumber", "POST", PHONE_URL, "phone"),
    ],
)
def test_the_other_calls_are_repeated_by_the_same_rules(
    client, wechat, request, call, method, url, given
):
    wechat.add(method, url, json=_refused(-1))

    with pytest.raises(errors.SystemBusy):
        getattr(client, call)(**request.getfixturevalue(given))

    assert len(wechat.calls) == 2


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [
        (40029, errors.InvalidCode),
        (42003, errors.InvalidCode),
        (40163, errors.CodeAlreadyUsed),
        (40013, errors.SourceMisconfigured),
        (40125, errors.SourceMisconfigured),
        (41008, errors.MalformedCall),
    ],
)
def test_a_refused_oauth_code_is_not_repeated(client, wechat, oauth, errcode, kind):
    wechat.get(OAUTH_URL, json=_refused(errcode), content_type="text/plain")

    with pytest.raises(kind) as caught:
        client.oauth2_access_token(**oauth)

    assert (caught.value.call, caught.value.rid) == ("oauth2_access_token", RID)
    assert len(wechat.calls) == 1


def test_a_login_sends_exactly_the_documented_parameters(client, wechat, login):
    parameters = {
        "appid": "wx0123456789abcdef",
        "secret": "5ec4e75ec4e75ec4e75ec4e75ec4e75e",
        "js_code": "0a1JsCodeOfAlice0000000000a1Js00",
        "grant_type": "authorization_code",
    }
    match = [matchers.query_param_matcher(parameters, strict_match=True)]
    wechat.get(LOGIN_URL, json=SESSION, content_type="text/plain", match=match)

    session = client.jscode2session(**login)

    assert session == MiniProgramSession(**SESSION)
    assert wechat.calls[0].request.body is None


def test_an_oauth_login_sends_exactly_the_documented_parameters(client, wechat, oauth):
    parameters = {
        "appid": "wx0123456789abcdef",
        "secret": "5ec4e75ec4e75ec4e75ec4e75ec4e75e",
        "code": "0b1OAuthCodeOfAlice0000000000b1O",
        "grant_type": "authorization_code",
    }
    match = [matchers.query_param_matcher(parameters, strict_match=True)]
    wechat.get(OAUTH_URL, json=IDENTITY, content_type="text/plain", match=match)

    identity = client.oauth2_access_token(**oauth)

    assert identity == OAuthIdentity(
        openid=IDENTITY["openid"],
        unionid=IDENTITY["unionid"],
        scope=("snsapi_login",),
        is_snapshot_user=False,
    )
    assert wechat.calls[0].request.body is None


@pytest.mark.parametrize("force_refresh", [False, True])
def test_a_token_is_asked_for_in_json(client, wechat, mini_program, force_refresh):
    wechat.post(TOKEN_URL, json={"access_token": "99_Token", "expires_in": 7200})

    token = client.stable_token(**mini_program, force_refresh=force_refresh)

    assert token == AppAccessToken(access_token="99_Token", expires_in=7200)
    request = wechat.calls[0].request
    assert request.url == TOKEN_URL
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "grant_type": "client_credential",
        "appid": "wx0123456789abcdef",
        "secret": "5ec4e75ec4e75ec4e75ec4e75ec4e75e",
        "force_refresh": force_refresh,
    }


def test_a_token_is_not_refreshed_by_force_unless_asked(client, wechat, mini_program):
    wechat.post(TOKEN_URL, json={"access_token": "99_Token", "expires_in": 7200})

    client.stable_token(**mini_program)

    assert json.loads(wechat.calls[0].request.body)["force_refresh"] is False


def test_a_phone_number_is_asked_for_with_the_openid(client, wechat, phone):
    match = [matchers.query_param_matcher({"access_token": phone["access_token"]})]
    wechat.post(PHONE_URL, json=PHONE, match=match)

    number = client.getuserphonenumber(**phone)

    assert number == PhoneNumber(
        country_code="86",
        pure_number="13800138000",
        watermark_app_id="wx0123456789abcdef",
        watermark_timestamp=1700000000,
    )
    assert json.loads(wechat.calls[0].request.body) == {
        "code": phone["code"],
        "openid": phone["openid"],
    }


def test_real_characters_are_sent_instead_of_escapes(client, wechat, phone):
    wechat.post(PHONE_URL, json=PHONE)

    client.getuserphonenumber(**{**phone, "code": "微"})

    assert "微".encode() in wechat.calls[0].request.body


def test_the_api_url_may_end_in_a_slash(client_for, wechat, login):
    wechat.get(LOGIN_URL, json=SESSION)

    assert client_for(f"{API_URL}/").jscode2session(**login)


def test_both_timeouts_are_passed_on(client, wechat, login):
    sent = {"timeout": (1.0, 0.3), "stream": True, "verify": True, "cert": None, "proxies": ANY}
    wechat.get(LOGIN_URL, json=SESSION, match=[matchers.request_kwargs_matcher(sent)])

    assert client.jscode2session(**login)

"""What WeChat's bytes are read as, and which of them aren't read."""

import json
from pathlib import Path

import pytest

from identity_sources.wechat import answers
from identity_sources.wechat.answers import (
    AppAccessToken,
    MiniProgramSession,
    OAuthIdentity,
    PhoneNumber,
)
from identity_sources.wechat.errors import WeChatUnavailable

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
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
    "scope": "snsapi_base,snsapi_userinfo",
    "unionid": "oFAKEunion00000000000000001A",
}
TOKEN = {"access_token": "99_AccessTokenOfAcme", "expires_in": 7200}
PHONE = json.loads(VECTORS["phone_selfmade"]["plaintext"])
WRONG_TEXTS = [None, "", 7, True, ["o"], {}, "o\x00", "o\nx", "o x", "\ud800", "微信", "o" * 4096]
WRONG_NUMBERS = [None, "", "7200", "x", True, 0, -1, 1.5, [], {}]


@pytest.mark.parametrize("status", [204, 301, 302, 400, 404, 500, 502, 504])
def test_an_answer_of_another_status_is_unavailable_even_with_json(status):
    with pytest.raises(WeChatUnavailable) as caught:
        answers.read(status, json.dumps(SESSION).encode())

    assert (caught.value.reason, caught.value.status) == ("bad_status", status)


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_an_empty_body_is_unavailable(body):
    with pytest.raises(WeChatUnavailable) as caught:
        answers.read(200, body)

    assert caught.value.reason == "empty_answer"


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"openid":"oFAKE',
        b'{"openid":"oFAKE"',
        b'{"openid":"oFAKE"} trailing',
        b"{openid:1}",
        b"[]",
        b'[{"openid":"oFAKE"}]',
        b'"text"',
        b"null",
        b"0",
        b'{"a":' * 100_000,
        b'{"a":' + b"9" * 5000 + b"}",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
    ],
)
def test_a_body_that_is_no_json_object_is_unreadable(body):
    with pytest.raises(WeChatUnavailable) as caught:
        answers.read(200, body)

    assert caught.value.reason == "unreadable"


def test_the_body_of_broken_json_is_not_kept_as_the_exceptions_context():
    with pytest.raises(WeChatUnavailable) as caught:
        answers.read(200, b'{"session_key":"AAECAwQFBgcICQoLDA0ODw==",')

    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_raw_control_characters_and_broken_utf_8_in_strings_are_read():
    answer = answers.read(200, b'{"nickname":"A\x14\xffB","openid":"oFAKE"}')

    assert answer == {"nickname": "A\x14\N{REPLACEMENT CHARACTER}B", "openid": "oFAKE"}


def test_escaped_slashes_and_leading_blanks_are_read():
    assert answers.read(200, b'\r\n {"u":"https:\\/\\/a"}') == {"u": "https://a"}


@pytest.mark.parametrize(
    ("answer", "errcode"),
    [
        ({}, 0),
        ({"errcode": 0}, 0),
        ({"errcode": "0"}, 0),
        ({"errcode": 40029}, 40029),
        ({"errcode": "40029"}, 40029),
        ({"errcode": -1}, -1),
        ({"errcode": "-1"}, -1),
    ],
)
def test_errcode_is_a_number_and_0_when_absent(answer, errcode):
    assert answers.errcode_of(answer) == errcode


@pytest.mark.parametrize("errcode", [None, "", "x", "4e4", " 0", "４", True, False, 1.0, [], {}])  # noqa: RUF001
def test_an_errcode_that_is_no_number_is_unreadable(errcode):
    with pytest.raises(WeChatUnavailable) as caught:
        answers.errcode_of({"errcode": errcode})

    assert caught.value.reason == "unreadable"


def _refuses(parse, answer):
    with pytest.raises(WeChatUnavailable) as caught:
        parse(answer)
    return caught.value.reason == "unreadable"


@pytest.mark.parametrize("value", WRONG_TEXTS)
@pytest.mark.parametrize("field", ["openid", "session_key"])
def test_a_session_without_proper_ids_is_unreadable(field, value):
    assert _refuses(MiniProgramSession.parse, {**SESSION, field: value})


@pytest.mark.parametrize("value", [value for value in WRONG_TEXTS if value not in (None, "")])
def test_a_session_with_an_improper_unionid_is_unreadable(value):
    assert _refuses(MiniProgramSession.parse, {**SESSION, "unionid": value})


@pytest.mark.parametrize("field", ["openid", "session_key"])
def test_a_session_that_lacks_a_field_is_unreadable(field):
    assert _refuses(
        MiniProgramSession.parse, {name: SESSION[name] for name in SESSION if name != field}
    )


@pytest.mark.parametrize("unionid", ["", None])
def test_an_empty_unionid_is_none(unionid):
    assert MiniProgramSession.parse({**SESSION, "unionid": unionid}).unionid is None


def test_a_session_without_unionid_and_with_unknown_fields_is_read():
    answer = {**SESSION, "errcode": 0, "expires_in": 7200}
    del answer["unionid"]

    assert MiniProgramSession.parse(answer) == MiniProgramSession(
        openid=SESSION["openid"], unionid=None, session_key=SESSION["session_key"]
    )


def test_a_session_is_read_whole():
    assert MiniProgramSession.parse(SESSION) == MiniProgramSession(**SESSION)


def test_an_oauth_identity_is_read_without_its_tokens():
    identity = OAuthIdentity.parse(IDENTITY)

    assert identity == OAuthIdentity(
        openid=IDENTITY["openid"],
        unionid=IDENTITY["unionid"],
        scope=("snsapi_base", "snsapi_userinfo"),
        is_snapshot_user=False,
    )
    assert "Token" not in repr(identity)


def test_an_oauth_identity_needs_the_openid_alone():
    assert OAuthIdentity.parse({"openid": IDENTITY["openid"]}) == OAuthIdentity(
        openid=IDENTITY["openid"], unionid=None, scope=(), is_snapshot_user=False
    )


@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_an_oauth_identity_without_a_proper_openid_is_unreadable(value):
    assert _refuses(OAuthIdentity.parse, {**IDENTITY, "openid": value})


@pytest.mark.parametrize("value", [value for value in WRONG_TEXTS if value not in (None, "")])
@pytest.mark.parametrize("field", ["unionid", "scope"])
def test_an_oauth_identity_with_an_improper_field_is_unreadable(field, value):
    assert _refuses(OAuthIdentity.parse, {**IDENTITY, field: value})


@pytest.mark.parametrize("value", [1, "1", True, 2, "true", [], {}])
def test_a_snapshot_user_is_told_by_whatever_is_no_plain_no(value):
    assert OAuthIdentity.parse({**IDENTITY, "is_snapshotuser": value}).is_snapshot_user


@pytest.mark.parametrize("value", [None, 0, "0", "", False])
def test_a_plain_no_is_no_snapshot_user(value):
    assert not OAuthIdentity.parse({**IDENTITY, "is_snapshotuser": value}).is_snapshot_user


@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_a_token_answer_without_a_proper_token_is_unreadable(value):
    assert _refuses(AppAccessToken.parse, {**TOKEN, "access_token": value})


@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_a_token_answer_without_proper_seconds_is_unreadable(value):
    assert _refuses(AppAccessToken.parse, {**TOKEN, "expires_in": value})


def test_a_long_access_token_is_read():
    token = AppAccessToken.parse({"access_token": "9" * 512, "expires_in": 300})

    assert token == AppAccessToken(access_token="9" * 512, expires_in=300)


@pytest.mark.parametrize("value", [None, "", "+86", "086", "86a", "12345", True, -86, 0, 8.6, []])
def test_a_phone_number_without_a_proper_calling_code_is_unreadable(value):
    assert _refuses(PhoneNumber.parse, {"phone_info": {**PHONE, "countryCode": value}})


@pytest.mark.parametrize("value", [None, "", 13800138000, "138 001", "+138", "1" * 16, True, []])
def test_a_phone_number_that_is_not_text_of_digits_is_unreadable(value):
    assert _refuses(PhoneNumber.parse, {"phone_info": {**PHONE, "purePhoneNumber": value}})


@pytest.mark.parametrize("value", [None, [], "x", {"appid": "wx0", "timestamp": "1700000000"}, {}])
def test_a_phone_number_without_a_proper_watermark_is_unreadable(value):
    assert _refuses(PhoneNumber.parse, {"phone_info": {**PHONE, "watermark": value}})


@pytest.mark.parametrize("answer", [{}, {"phone_info": None}, {"phone_info": []}, PHONE])
def test_an_answer_without_phone_info_is_unreadable(answer):
    assert _refuses(PhoneNumber.parse, answer)


@pytest.mark.parametrize(
    ("vector", "e164"),
    [("phone_selfmade", "+8613800138000"), ("phone_foreign_selfmade", "+85251234567")],
)
def test_the_phone_vectors_are_read(vector, e164):
    phone_info = json.loads(VECTORS[vector]["plaintext"])

    number = PhoneNumber.parse({"errcode": 0, "phone_info": phone_info})

    assert number == PhoneNumber(
        country_code=phone_info["countryCode"],
        pure_number=phone_info["purePhoneNumber"],
        watermark_app_id=VECTORS[vector]["appid"],
        watermark_timestamp=1700000000,
    )
    assert number.e164 == e164


def test_a_calling_code_may_be_a_number():
    number = PhoneNumber.parse({"phone_info": {**PHONE, "countryCode": 86}})

    assert number.e164 == "+8613800138000"


@pytest.mark.parametrize(
    ("parsed", "secret"),
    [
        (MiniProgramSession.parse(SESSION), SESSION["session_key"]),
        (AppAccessToken.parse(TOKEN), TOKEN["access_token"]),
        (PhoneNumber.parse({"phone_info": PHONE}), PHONE["purePhoneNumber"]),
    ],
)
def test_an_answers_repr_hides_what_is_secret(parsed, secret):
    assert secret not in repr(parsed)

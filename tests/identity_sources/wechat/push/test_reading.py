"""A whole push: which mode it is in, who signed it, and for whom."""

import json
import traceback
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_sources.wechat.push import Push, PushKey, PushRefused, read_push, read_url_check
from tests.identity_sources.wechat.push.push_requests import (
    APP_ID,
    KEY,
    NOW,
    OTHER_KEY,
    encrypted,
    plain_query,
    safe_query,
    sealed,
    xml_around,
)

pytestmark = pytest.mark.once

VECTORS = json.loads(Path(__file__).with_name("push_vectors.json").read_text(encoding="utf-8"))
MESSAGE = (
    b"<xml><MsgType>event</MsgType><Event>user_authorization_cancellation</Event>"
    b"<OpenID>oFAKEfake0000000000000000001</OpenID></xml>"
)
PLAIN_BODY = b"<xml><MsgType>event</MsgType><Event>debug_demo</Event><OpenID>oPlain</OpenID></xml>"
ENCRYPTED = sealed(MESSAGE)


def read(query, body, keys=(KEY,), app_id=APP_ID, now=NOW):
    return read_push(query, body, keys=keys, app_id=app_id, now=now)


def refusal(*args, **kwargs):
    with pytest.raises(PushRefused) as caught:
        read(*args, **kwargs)
    assert caught.value.args == (caught.value.reason,)
    assert caught.value.__context__ is None
    shown = "".join(traceback.format_exception(caught.value))
    for secret in (KEY.token, KEY.aes_key, "oFAKEfake", ENCRYPTED[:20]):
        assert secret not in shown
    return caught.value.reason


def test_the_official_push_in_safe_mode_is_read():
    vector = VECTORS["push_safe_official"]
    query = {
        name: vector[name]
        for name in ("signature", "timestamp", "nonce", "openid", "msg_signature")
    } | {"encrypt_type": "aes"}

    push = read_push(
        query,
        json.dumps(vector["body"]).encode(),
        keys=[PushKey(vector["token"], vector["encodingAESKey"])],
        app_id=vector["appid"],
        now=int(vector["timestamp"]) + 3,
    )

    assert push.mode == "safe"
    assert (push.event, push.created_at) == ("debug_demo", 1714112445)
    assert (push.fields["fromusername"], push.openid) == (vector["openid"], "")
    assert push.fields["debug_str"] == "hello world"
    assert push.fields["tousername"] == "gh_97417a04a28d"


def test_the_revocation_in_xml_is_read():
    vector = VECTORS["push_revoke_xml_selfmade"]
    query = {name: vector[name] for name in ("signature", "timestamp", "nonce", "msg_signature")}

    push = read_push(
        query,
        xml_around(vector["Encrypt"]),
        keys=[PushKey(vector["token"], vector["encodingAESKey"])],
        app_id=vector["appid"],
        now=int(vector["timestamp"]),
    )

    assert push.mode == "safe"
    assert push.event == "user_authorization_revoke"
    assert push.openid == "oFAKEfake0000000000000000001"
    assert push.fields["fromusername"] == "oFAKEsystem00000000000000001"
    assert push.app_id == vector["appid"]
    assert push.created_at == 1_700_000_000
    assert push.fields["revokeinfo"] == "8"


def test_the_official_push_in_plain_mode_is_read():
    vector = VECTORS["push_plain_official"]
    query = {name: vector[name] for name in ("signature", "timestamp", "nonce")}
    keys = [PushKey(vector["token"], KEY.aes_key)]

    push = read(query, PLAIN_BODY, keys=keys, now=int(vector["timestamp"]))

    assert (push.mode, push.event, push.openid) == ("plain", "debug_demo", "oPlain")


def test_the_official_url_check_is_answered():
    vector = VECTORS["push_url_check_official"]
    keys = [KEY, PushKey(vector["token"], "")]

    assert read_url_check(vector, keys=keys, now=1714036504) == "4375120948345356249"
    for keys_then, now, reason in (
        ([KEY], 1714036504, "bad_signature"),
        (keys, 1714036504 + 601, "stale"),
    ):
        with pytest.raises(PushRefused) as caught:
            read_url_check(vector, keys=keys_then, now=now)
        assert caught.value.reason == reason


@pytest.mark.parametrize("encrypt_type", ["raw", ""])
def test_a_body_may_be_said_not_to_be_encrypted(encrypt_type):
    assert read(plain_query() | {"encrypt_type": encrypt_type}, PLAIN_BODY).mode == "plain"


@pytest.mark.parametrize("skew", [-600, -1, 0, 1, 600])
@pytest.mark.parametrize("is_safe", [True, False])
def test_a_signature_is_taken_for_10_minutes_in_either_direction(skew, is_safe):
    if is_safe:
        read(safe_query(ENCRYPTED, timestamp=NOW + skew), xml_around(ENCRYPTED))
    else:
        read(plain_query(timestamp=NOW + skew), PLAIN_BODY)


@pytest.mark.parametrize(
    "timestamp",
    [NOW - 601, NOW + 601, "", "x", f"{NOW}.0", f" {NOW}", f"+{NOW}", "９" * 10, 9**99],  # noqa: RUF001
)
def test_an_old_or_future_or_malformed_timestamp_is_stale(timestamp):
    assert refusal(safe_query(ENCRYPTED, timestamp=timestamp), xml_around(ENCRYPTED)) == "stale"
    assert refusal(plain_query(timestamp=timestamp), PLAIN_BODY) == "stale"


@pytest.mark.parametrize("name", ["signature", "timestamp", "nonce"])
def test_a_plain_push_with_another_or_no_value_is_badly_signed(name):
    query = plain_query()

    assert refusal(query | {name: query[name][:-1] + "x"}, PLAIN_BODY) == "bad_signature"
    del query[name]
    assert refusal(query, PLAIN_BODY) == "bad_signature"


@pytest.mark.parametrize("name", ["msg_signature", "timestamp", "nonce"])
def test_a_safe_push_with_another_or_no_value_is_badly_signed(name):
    query = safe_query(ENCRYPTED)

    assert refusal(query | {name: query[name][:-1] + "x"}, xml_around(ENCRYPTED)) == "bad_signature"
    del query[name]
    assert refusal(query, xml_around(ENCRYPTED)) == "bad_signature"


def test_another_encrypt_part_is_badly_signed():
    assert refusal(safe_query(ENCRYPTED), xml_around(sealed(b"{}"))) == "bad_signature"


@pytest.mark.parametrize(
    "body", [xml_around(ENCRYPTED), json.dumps({"Encrypt": ENCRYPTED}).encode()]
)
def test_an_encrypt_part_needs_its_own_signature_whatever_the_query_says(body):
    assert refusal(plain_query(), body) == "bad_signature"
    assert refusal(plain_query() | {"encrypt_type": "raw"}, body) == "bad_signature"


@pytest.mark.parametrize(
    "announced", [{"encrypt_type": "aes"}, {"encrypt_type": "AES"}, {"encrypt_type": "x"}]
)
def test_a_push_that_claims_encryption_is_not_read_as_plain(announced):
    assert refusal(plain_query() | announced, PLAIN_BODY) == "unreadable"
    signed = plain_query()
    assert refusal(signed | {"msg_signature": signed["signature"]}, PLAIN_BODY) == "unreadable"


@pytest.mark.parametrize("encrypt", ["", " ", "<a/>"])
def test_the_plain_signature_is_none_for_an_odd_encrypt_part(encrypt):
    query = plain_query()
    query |= {"encrypt_type": "aes", "msg_signature": query["signature"]}

    assert refusal(query, xml_around(encrypt)) in {"unreadable", "bad_signature"}


def test_line_breaks_around_the_encrypt_part_do_no_harm():
    assert read(safe_query(ENCRYPTED), xml_around(f"\n  {ENCRYPTED}\n")).mode == "safe"


@pytest.mark.parametrize("app_id", ["wx0123456789abcdee", "", APP_ID + "0", APP_ID[:-1]])
def test_a_push_to_another_application_is_refused(app_id):
    foreign = sealed(MESSAGE, app_id=app_id)

    assert refusal(safe_query(foreign), xml_around(foreign)) == "foreign_app"


def test_no_app_id_of_ours_is_nobodys():
    nobodys = sealed(MESSAGE, app_id="")

    assert refusal(safe_query(nobodys), xml_around(nobodys), app_id="") == "foreign_app"


def test_what_is_signed_but_cannot_be_opened_is_undecryptable():
    for tampered in (
        "AAAA" + ENCRYPTED[4:],
        ENCRYPTED[:-24],
        "no base64!",
        sealed(MESSAGE, OTHER_KEY),
    ):
        assert refusal(safe_query(tampered), xml_around(tampered)) == "undecryptable"


@pytest.mark.parametrize("message", [b"", b"success", b"<xml>", b"\xff\xfe"])
def test_an_encrypted_message_that_is_none_is_unreadable(message):
    encrypted = sealed(message)

    assert refusal(safe_query(encrypted), xml_around(encrypted)) == "unreadable"


def test_in_compat_mode_only_the_encrypt_part_counts():
    body = {
        "MsgType": "event",
        "Event": "user_info_modified",
        "OpenID": "oAttacker",
        "UnionID": "uAttacker",
        "Encrypt": ENCRYPTED,
    }

    push = read(safe_query(ENCRYPTED), json.dumps(body).encode())

    assert push.mode == "safe"
    assert push.event == "user_authorization_cancellation"
    assert push.openid == "oFAKEfake0000000000000000001"
    assert push.unionid == ""
    assert "oAttacker" not in str(dict(push.fields))


@pytest.mark.parametrize("signer", [KEY, OTHER_KEY])
def test_during_a_rotation_either_key_is_taken(signer):
    encrypted = sealed(MESSAGE, signer)

    for keys in ([KEY, OTHER_KEY], [OTHER_KEY, KEY]):
        assert read(safe_query(encrypted, signer), xml_around(encrypted), keys=keys).mode == "safe"
        assert read(plain_query(signer), PLAIN_BODY, keys=keys).mode == "plain"


def test_one_keys_signature_over_what_the_other_encrypted_is_not_taken():
    encrypted = sealed(MESSAGE, OTHER_KEY)

    assert refusal(safe_query(encrypted, KEY), xml_around(encrypted), [KEY, OTHER_KEY]) == (
        "undecryptable"
    )


def test_a_rotation_may_keep_the_token():
    renewed = PushKey(KEY.token, OTHER_KEY.aes_key)

    for key in (KEY, renewed):
        encrypted = sealed(MESSAGE, key)
        query = safe_query(encrypted, key)
        assert read(query, xml_around(encrypted), keys=[KEY, renewed]).mode == "safe"


def test_without_a_key_nothing_is_taken():
    assert refusal(plain_query(), PLAIN_BODY, keys=[]) == "bad_signature"
    assert refusal(safe_query(ENCRYPTED), xml_around(ENCRYPTED), keys=[]) == "bad_signature"


def push(**fields):
    return Push(mode="safe", fields=fields)


def test_the_properties_of_a_push():
    found = push(
        msgtype="Event",
        event="SCAN",
        openid=" oA\n",
        unionid="oC",
        appid="wxD",
        createtime="1700000000",
    )

    assert (found.event, found.openid) == ("scan", "oA")
    assert (found.unionid, found.app_id) == ("oC", "wxD")
    assert found.created_at == 1_700_000_000


def test_the_properties_of_a_push_that_says_nothing():
    nothing = push()

    assert (nothing.event, nothing.openid) == ("", "")
    assert (nothing.unionid, nothing.app_id) == ("", "")
    assert nothing.created_at is None


def test_a_message_is_no_event_and_an_event_needs_no_type():
    assert push(msgtype="text", event="subscribe").event == ""
    assert push(event="subscribe").event == "subscribe"


@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "１", "12345678901"])  # noqa: RUF001
def test_a_time_that_is_none_is_none(value):
    assert push(createtime=value).created_at is None


def test_a_pushs_repr_shows_nobodys_data():
    assert repr(push(openid="oSecret")) == "Push(mode='safe')"


@settings(max_examples=200, deadline=None)
@given(
    query=st.dictionaries(
        st.sampled_from(["signature", "timestamp", "nonce", "msg_signature", "encrypt_type"]),
        st.text(max_size=20),
    ),
    body=st.binary() | st.text().map(lambda text: f"<xml>{text}</xml>".encode("utf-8", "replace")),
)
def test_no_request_raises_anything_but_a_refusal(query, body):
    with pytest.raises(PushRefused):
        read(query, body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
BODIES = (
    st.binary()
    | st.text(st.characters()).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.dictionaries(st.text(), JSON_VALUES).map(lambda value: json.dumps(value).encode())
    | st.text("<>/a!&;[]x?'\" =").map(lambda text: f"<xml>{text}</xml>".encode())
)


@settings(max_examples=200, deadline=None)
@given(BODIES)
def test_no_signed_message_raises_anything_but_a_refusal(message):
    encrypted = sealed(message)
    for query, body in (
        (safe_query(encrypted), xml_around(encrypted)),
        (plain_query(), message),
    ):
        try:
            found = read(query, body)
        except PushRefused:
            continue
        for text in (*found.fields, *found.fields.values()):
            assert unquote(quote(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_signed_ciphertext_raises_anything_but_a_refusal(blocks):
    whole = blocks[: len(blocks) // 16 * 16]
    for part in (encrypted(whole), blocks.decode("latin-1")):
        body = json.dumps({"Encrypt": part}).encode()
        with pytest.raises(PushRefused):
            read(safe_query(part), body)

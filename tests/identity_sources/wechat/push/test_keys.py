"""Signatures, and the keys that are made for a new endpoint."""

import base64
import json
import re
from pathlib import Path

import pytest

from identity_sources.wechat.push import PushKey, new_push_key, signature_is_right
from identity_sources.wechat.push.keys import encrypted_signature_is_right
from tests.identity_sources.wechat.push.push_requests import signature

pytestmark = pytest.mark.once

VECTORS = json.loads(Path(__file__).with_name("push_vectors.json").read_text(encoding="utf-8"))
URL_CHECK = VECTORS["push_url_check_official"]
SIGNED = [name for name, vector in VECTORS.items() if "signature" in vector]
SIGNED_ENCRYPTED = {
    "push_safe_official": VECTORS["push_safe_official"]["body"]["Encrypt"],
    "push_nonzero_key_wecom_echostr": VECTORS["push_nonzero_key_wecom_echostr"]["Encrypt"],
    "push_revoke_xml_selfmade": VECTORS["push_revoke_xml_selfmade"]["Encrypt"],
}


@pytest.mark.parametrize("name", SIGNED)
def test_the_signatures_of_the_vectors_are_right(name):
    vector = VECTORS[name]

    assert signature_is_right(
        vector["token"], vector["timestamp"], vector["nonce"], vector["signature"]
    )


@pytest.mark.parametrize("name", SIGNED_ENCRYPTED)
def test_the_message_signatures_of_the_vectors_are_right(name):
    vector, encrypted = VECTORS[name], SIGNED_ENCRYPTED[name]

    assert encrypted_signature_is_right(
        vector["token"], vector["timestamp"], vector["nonce"], encrypted, vector["msg_signature"]
    )


def test_the_signature_of_the_official_reply_is_right():
    reply = VECTORS["push_reply_official"]

    assert encrypted_signature_is_right(
        reply["token"], reply["TimeStamp"], reply["Nonce"], reply["Encrypt"], reply["MsgSignature"]
    )


@pytest.mark.parametrize(
    "change",
    [
        {"token": "AAAAB"},
        {"timestamp": "1714036505"},
        {"nonce": "1514711493"},
        {"signature": URL_CHECK["signature"].upper()},
        {"signature": URL_CHECK["signature"][:-1]},
        {"signature": ""},
        {"signature": "签名"},
        {"signature": "\ud800"},
        {"nonce": "\ud800"},
    ],
)
def test_a_signature_over_anything_else_is_wrong(change):
    values = {name: URL_CHECK[name] for name in ("token", "timestamp", "nonce", "signature")}

    assert not signature_is_right(**values | change)


def test_nobody_signs_with_an_empty_token():
    assert not signature_is_right("", "1", "2", signature("", "1", "2"))
    assert not encrypted_signature_is_right("", "1", "2", "AAAA", signature("", "1", "2", "AAAA"))


def test_the_signature_of_plain_mode_signs_no_empty_encrypt_part():
    plain = URL_CHECK["token"], URL_CHECK["timestamp"], URL_CHECK["nonce"]

    assert not encrypted_signature_is_right(*plain, "", URL_CHECK["signature"])


def test_the_repr_of_a_key_hides_it():
    assert repr(PushKey("tokenOfAcme", "keyOfAcme")) == "PushKey()"


def test_new_keys_are_what_wechats_console_takes_and_all_different():
    keys = [new_push_key() for _ in range(50)]

    for key in keys:
        assert re.fullmatch(r"[A-Za-z0-9]{32}", key.token)
        assert re.fullmatch(r"[A-Za-z0-9]{43}", key.aes_key)
        secret = base64.b64decode(key.aes_key + "=")
        assert len(secret) == 32
        # Canonical, so that strict decoders take it as well.
        assert base64.b64encode(secret).decode() == key.aes_key + "="
    assert len({key.token for key in keys} | {key.aes_key for key in keys}) == 100

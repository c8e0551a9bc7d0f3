"""The Encrypt part: every vector opens, and whatever is wrong with one looks the same."""

import base64
import json
import traceback
from pathlib import Path

import pytest

from identity_sources.wechat.push import PushRefused
from identity_sources.wechat.push.encryption import opened
from tests.identity_sources.wechat.push.push_requests import (
    APP_ID,
    KEY,
    OTHER_KEY,
    encrypted,
    padded,
    plaintext,
    sealed,
)

pytestmark = pytest.mark.once

VECTORS = json.loads(Path(__file__).with_name("push_vectors.json").read_text(encoding="utf-8"))
MESSAGE = b"<xml><Event>x</Event></xml>"


@pytest.mark.parametrize("name", [name for name in VECTORS if "encodingAESKey" in VECTORS[name]])
def test_the_vectors_open(name):
    vector = VECTORS[name]
    encrypt = vector["Encrypt"] if "Encrypt" in vector else vector["body"]["Encrypt"]
    message = vector["plaintext"] if "plaintext" in vector else vector["msg"]
    app_id = vector["appid"] if "appid" in vector else vector["receiver"]

    assert opened(encrypt, vector["encodingAESKey"]) == (message.encode(), app_id.encode())


def test_the_message_may_be_empty_and_the_padding_of_any_length():
    for size in range(33):
        assert opened(sealed(b"x" * size), KEY.aes_key) == (b"x" * size, APP_ID.encode())


def _with_padding(count, fill=None):
    """End a whole number of blocks in `count` bytes of padding; `fill` says which, if not right."""
    content = plaintext(MESSAGE)
    content += b"_" * ((-len(content) - count) % 16)
    return encrypted(content + bytes([count if fill is None else fill]) * count)


RIGHT = sealed(MESSAGE)
WRONG = {
    "empty": "",
    "not base64": "*" + RIGHT[1:],
    "not ascii": "签" + RIGHT[1:],
    "half a surrogate pair": "\ud800" + RIGHT[1:],
    "a line break": RIGHT[:40] + "\n" + RIGHT[40:],
    "more after the padding": RIGHT + "AAAA",
    "without base64's padding": sealed(b"x" * 8).rstrip("="),
    "half a block": base64.b64encode(base64.b64decode(RIGHT)[:-8]).decode(),
    "truncated": base64.b64encode(base64.b64decode(RIGHT)[:-32]).decode(),
    "one block": base64.b64encode(base64.b64decode(RIGHT)[:16]).decode(),
    "another key": sealed(MESSAGE, OTHER_KEY),
    "no padding": _with_padding(16, fill=0),
    "padding beyond 32": _with_padding(33),
    "padding beyond everything": encrypted(b"\x20" * 16),
    "padding of two kinds": encrypted(padded(plaintext(MESSAGE))[:-2] + b"\x01\x02"),
    "no length": encrypted(padded(b"r" * 16)),
    "half a length": encrypted(padded(b"r" * 16 + b"\x00\x00")),
    "a length beyond the end": encrypted(padded(plaintext(MESSAGE, length=2**32 - 1))),
    "a length one beyond the end": encrypted(
        padded(plaintext(MESSAGE, length=len(MESSAGE) + len(APP_ID) + 1))
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_whatever_is_wrong_the_refusal_is_the_same(name):
    with pytest.raises(PushRefused) as caught:
        opened(WRONG[name], KEY.aes_key)

    assert caught.value.reason == "undecryptable"
    assert caught.value.args == ("undecryptable",)
    assert caught.value.__context__ is None
    assert MESSAGE.decode() not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("aes_key", ["", "A" * 42, "A" * 44, "-" * 43, "密" * 43, "A" * 42 + "\n"])
def test_a_malformed_key_opens_nothing(aes_key):
    with pytest.raises(PushRefused) as caught:
        opened(RIGHT, aes_key)

    assert caught.value.reason == "undecryptable"

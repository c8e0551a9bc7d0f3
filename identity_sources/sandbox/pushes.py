"""The requests by which WeChat pushes events to a server: signed, and optionally encrypted.

They are only built here; the caller sends them. `Content-Type` is `text/xml` even for
JSON, as WeChat's is.

https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from identity_sources.sandbox.exceptions import InvalidFieldError
from identity_sources.sandbox.pushed_events import Fields, PushedEvent

CONTENT_TYPE = "text/xml"

_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_PADDED_TO_BITS = 256
_SALT_BYTES = 16
_NONCES = 10**10


class PushMode(StrEnum):
    """Whether pushes are encrypted: no, in addition to the plain fields, or instead of them."""

    PLAIN = "plain"
    COMPAT = "compat"
    SAFE = "safe"


class PushFormat(StrEnum):
    """The format of a body."""

    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The settings in WeChat's console of the server that receives pushes.

    `token` is 3 to 32 letters and digits, `aes_key` the EncodingAESKey, 43 of them. Raises
    `InvalidFieldError`; the fields have the names of the control endpoint.
    """

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    mode: str = PushMode.SAFE
    format: str = PushFormat.XML

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise InvalidFieldError("token", "token must be 3 to 32 letters and digits.")
        if not _AES_KEY.fullmatch(self.aes_key):
            raise InvalidFieldError("aes_key", "aes_key must be 43 letters and digits.")
        _require_word("mode", self.mode, PushMode)
        _require_word("format", self.format, PushFormat)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A POST that WeChat would send: the query string, and the body in UTF-8."""

    query: str
    body: bytes
    content_type: str = CONTENT_TYPE


def push_request(
    event: PushedEvent, endpoint: Endpoint, sent_at: float, *, has_odd_keys: bool = False
) -> PushRequest:
    """Return the request that tells of the event, signed at `sent_at` (Unix seconds).

    Every call has another nonce. `has_odd_keys` spells OpenID and AppID as some samples and reports
    do: in lower case, or after a blank in JSON.
    """
    timestamp, nonce = str(int(sent_at)), str(secrets.randbelow(_NONCES))
    query = {
        "signature": signature(endpoint.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": event.sender,
    }
    fields = _oddly_spelled(event.fields(), endpoint.format) if has_odd_keys else event.fields()
    body = _written(fields, endpoint.format)
    if endpoint.mode == PushMode.PLAIN:
        return PushRequest(urlencode(query), body)
    encrypted = encrypt(body, aes_key=endpoint.aes_key, app_id=event.app_id)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = signature(endpoint.token, timestamp, nonce, encrypted)
    outside = fields if endpoint.mode == PushMode.COMPAT else _addressed(fields)
    return PushRequest(
        urlencode(query), _written(outside | {"Encrypt": encrypted}, endpoint.format)
    )


def signature(*parts: str) -> str:
    """Return the SHA-1 of the sorted parts, 40 hex digits: token, timestamp, nonce, Encrypt."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def encrypt(message: bytes, *, aes_key: str, app_id: str, salt: bytes | None = None) -> str:
    """Return the Encrypt part; `salt` is 16 bytes, random unless given.

    AES-256-CBC with the key's first 16 bytes as IV, over salt, length, message and AppID, padded to
    a multiple of 32.
    """
    key = base64.b64decode(f"{aes_key}=")
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    padder = PKCS7(_PADDED_TO_BITS).padder()
    plaintext = salt + len(message).to_bytes(4, "big") + message + app_id.encode()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(AES256(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def _addressed(fields: Fields) -> Fields:
    return {"ToUserName": fields["ToUserName"]}


def _oddly_spelled(fields: Fields, body_format: str) -> Fields:
    openid = " OpenID" if body_format == PushFormat.JSON else "openid"
    odd = {"OpenID": openid, "AppID": "appid"}
    return {odd.get(name, name): value for name, value in fields.items()}


def _written(fields: Fields, body_format: str) -> bytes:
    if body_format == PushFormat.JSON:
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    elements = (_element(name, value) for name, value in fields.items())
    return f"<xml>{''.join(elements)}</xml>".encode()


def _element(name: str, value: str | int | list[str]) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    return f"<{name}>{value if isinstance(value, int) else f'<![CDATA[{value}]]>'}</{name}>"


def _require_word(name: str, value: str, words: type[StrEnum]) -> None:
    if value not in set(words):
        raise InvalidFieldError(name, f"{name} must be one of {', '.join(words)}.")

"""Decrypt the Encrypt part of a push.

AES-256-CBC with the 32 bytes that EncodingAESKey encodes, with the first 16 of them as IV;
inside are 16 random bytes, the length of the message (4 bytes, big-endian), the message, and the
AppID, padded as PKCS#7 does for a block of 32.
Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import base64
import re
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from identity_sources.wechat.push.refusals import PushRefused

_AES_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_BLOCK = 16
_LONGEST_PADDING = 32
_RANDOM = 16
_LENGTH = 4


class Opened(NamedTuple):
    """A decrypted message, and the AppID that it was encrypted for."""

    message: bytes
    app_id: bytes


def opened(encrypted: str, aes_key: str) -> Opened:
    """Decrypt an Encrypt part, whose `msg_signature` has to have been verified.

    Raises PushRefused (`undecryptable`), the same for every cause: distinguishing wrong padding
    from a wrong length would be a padding oracle.
    """
    content = _content(encrypted, aes_key)
    # Raised here, so that no exception of a step is its context.
    if content is None:
        raise PushRefused("undecryptable")
    return content


def _content(encrypted: str, aes_key: str) -> Opened | None:
    key, ciphertext = _key_bytes(aes_key), _ciphertext(encrypted)
    if key is None or ciphertext is None:
        return None
    decryptor = Cipher(AES(key), CBC(key[:_BLOCK])).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    plaintext = _without_padding(padded)
    return None if plaintext is None else _parted(plaintext[_RANDOM:])


def _key_bytes(aes_key: str) -> bytes | None:
    if not _AES_KEY.fullmatch(aes_key):
        return None
    # Lenient: WeChat itself has issued keys whose last digit has its spare bits set.
    return base64.b64decode(aes_key + "=")


def _ciphertext(encrypted: str) -> bytes | None:
    # Strict: skipped characters could be added without changing the message.
    try:
        ciphertext = base64.b64decode(encrypted, validate=True)
    except ValueError:
        return None
    is_whole = len(ciphertext) > 0 and len(ciphertext) % _BLOCK == 0
    return ciphertext if is_whole else None


def _without_padding(padded: bytes) -> bytes | None:
    length = padded[-1]
    is_padding = 1 <= length <= _LONGEST_PADDING and padded.endswith(bytes([length]) * length)
    return padded[:-length] if is_padding else None


def _parted(content: bytes) -> Opened | None:
    length = int.from_bytes(content[:_LENGTH], "big")
    rest = content[_LENGTH:]
    is_whole = len(content) >= _LENGTH and length <= len(rest)
    return Opened(rest[:length], rest[length:]) if is_whole else None

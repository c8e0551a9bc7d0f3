"""Pushes made by hand, wrong ones included, for the tests that read them."""

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from identity_sources.wechat.push import PushKey

APP_ID = "wx0123456789abcdef"
NOW = 1_700_000_000
KEY = PushKey("tokenOfThisTest", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
OTHER_KEY = PushKey("tokenOfLastYear", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")


def signature(*parts):
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - WeChat's choice


def plaintext(message, app_id=APP_ID, length=None):
    """What is encrypted, before the padding."""
    length = len(message) if length is None else length
    return b"r" * 16 + length.to_bytes(4, "big") + message + app_id.encode()


def padded(content):
    count = 32 - len(content) % 32
    return content + bytes([count]) * count


def encrypted(blocks, key=KEY):
    """Encrypt what is padded already."""
    secret = base64.b64decode(key.aes_key + "=")
    encryptor = Cipher(AES256(secret), CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(blocks) + encryptor.finalize()).decode()


def sealed(message, key=KEY, app_id=APP_ID):
    return encrypted(padded(plaintext(message, app_id)), key)


def plain_query(key=KEY, timestamp=NOW, nonce="486452656"):
    timestamp = str(timestamp)
    return {
        "signature": signature(key.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }


def safe_query(encrypt, key=KEY, timestamp=NOW, nonce="486452656"):
    return plain_query(key, timestamp, nonce) | {
        "encrypt_type": "aes",
        "msg_signature": signature(key.token, str(timestamp), nonce, encrypt),
    }


def xml_around(encrypt):
    return f"<xml><ToUserName>gh_0</ToUserName><Encrypt>{encrypt}</Encrypt></xml>".encode()

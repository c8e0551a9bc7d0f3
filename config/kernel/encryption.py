"""Encryption at rest: AES-256-GCM, prefixed by a key id, with table, column and row as AAD.

A ciphertext is bound to its table, column and row, so that a copy elsewhere in the database can't
be decrypted. Format: 1 byte version, 8 bytes key id, 12 bytes nonce, ciphertext with tag
(NIST SP 800-38D).
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

_VERSION = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_BYTES = len(_VERSION) + _KEY_ID_BYTES + _NONCE_BYTES


class DecryptionError(Exception):
    """Decrypting failed: the key isn't in ENCRYPTION_KEYS, or the text was moved or changed."""


def parse_keys(setting: str) -> tuple[bytes, ...]:
    """Return the keys of ``ENCRYPTION_KEYS``, first the one that encrypts.

    Raises:
        ImproperlyConfigured: an entry is not the URL-safe base64 of 32 bytes (it isn't quoted).

    """
    keys = []
    for position, word in enumerate(setting.split(","), start=1):
        try:
            key = base64.b64decode(word.strip(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            raise ImproperlyConfigured(
                f"Entry {position} of ENCRYPTION_KEYS is not the URL-safe base64 of 32 bytes. "
                "Make one with: python3 -c 'import base64, os; "
                "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
            )
        keys.append(key)
    return tuple(keys)


def seal(row: models.Model, column: str, plaintext: str) -> bytes:
    """Encrypt a text for this column of this row, with the first key."""
    key_id, cipher = next(iter(_ciphers(settings.ENCRYPTION_KEYS).items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plaintext.encode(), _place(row, column))
    return _VERSION + key_id + nonce + sealed


def unseal(row: models.Model, column: str) -> str:
    """Decrypt the result of ``seal`` for this column of this row.

    Raises:
        DecryptionError: the key is missing, or the ciphertext was moved or changed.

    """
    ciphertext = bytes(getattr(row, column))
    cipher = _ciphers(settings.ENCRYPTION_KEYS).get(ciphertext[1 : 1 + _KEY_ID_BYTES])
    if ciphertext[:1] != _VERSION or cipher is None:
        raise DecryptionError(f"No key of ENCRYPTION_KEYS fits {row._meta.label}.{column}.")
    nonce = ciphertext[1 + _KEY_ID_BYTES : _HEADER_BYTES]
    try:
        return cipher.decrypt(nonce, ciphertext[_HEADER_BYTES:], _place(row, column)).decode()
    except (InvalidTag, ValueError):  # ValueError: cut off within the nonce
        raise DecryptionError(f"{row._meta.label}.{column} was moved or changed.") from None


def seal_under(secret: str, purpose: str, plaintext: str) -> bytes:
    """Encrypt a text so that only who sends this random secret of 256 bits can have it decrypted.

    The key is derived from the secret itself, for this purpose only, and not from its stored hash
    (RFC 5869). No key of ENCRYPTION_KEYS is involved.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher_of(secret, purpose).encrypt(nonce, plaintext.encode(), None)


def unseal_under(secret: str, purpose: str, ciphertext: bytes) -> str:
    """Decrypt the result of ``seal_under`` for the same secret and purpose.

    Raises:
        DecryptionError: it is another secret's or another purpose's, or was changed.

    """
    nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
    try:
        return _cipher_of(secret, purpose).decrypt(nonce, sealed, None).decode()
    except (InvalidTag, ValueError):  # ValueError: cut off within the nonce
        raise DecryptionError(f"This secret doesn't open this {purpose}.") from None


def keyed_hash(purpose: str, *parts: str) -> bytes:
    """Return HMAC-SHA256 of the parts, with a key for this purpose only.

    For values that are used for a shorter time than a key: the result changes with the first key.
    """
    return keyed_hashes(purpose, *parts)[0]


def keyed_hashes(purpose: str, *parts: str) -> list[bytes]:
    """Return the keyed hash with each key of ENCRYPTION_KEYS, to find one of an older key."""
    message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    return [
        hmac.digest(_derived_key(key, purpose), message, "sha256")
        for key in settings.ENCRYPTION_KEYS
    ]


def new_token() -> str:
    """Return a random value of 256 bits, for a URL, a form or a cookie."""
    return secrets.token_urlsafe(_KEY_BYTES)


def token_hash(token: str) -> bytes:
    """Return SHA-256 of a random value of 256 bits (which needs no slow hash)."""
    return hashlib.sha256(token.encode()).digest()


def _place(row: models.Model, column: str) -> bytes:
    return f"{row._meta.db_table}.{column}.{row.pk}".encode()


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[bytes, ...]) -> dict[bytes, AESGCM]:
    return {hashlib.sha256(b"key id" + key).digest()[:_KEY_ID_BYTES]: AESGCM(key) for key in keys}


def _cipher_of(secret: str, purpose: str) -> AESGCM:
    # Not `_derived_key`, which keeps its keys in memory.
    return AESGCM(_hkdf(secret.encode(), purpose))


@lru_cache(maxsize=32)
def _derived_key(key: bytes, purpose: str) -> bytes:
    return _hkdf(key, purpose)


def _hkdf(key: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(key)

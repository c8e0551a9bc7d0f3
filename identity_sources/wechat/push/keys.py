"""The token and EncodingAESKey of a push endpoint, and the signatures made with the token.

Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
_TOKEN_LENGTH = 32
_AES_KEY_LENGTH = 43
# The last of 43 digits of base64 carries 4 bits of 32 bytes; its 2 lowest bits have to be zero, or
# strict decoders refuse the key.
_LAST_DIGITS = "AEIMQUYcgkosw048"


@dataclass(frozen=True, slots=True)
class PushKey:
    """The token and key of an endpoint's pushes, as entered in WeChat's console.

    `token` is 3 to 32 letters and digits, `aes_key` the EncodingAESKey: 43 letters and digits.
    """

    token: str = field(repr=False)
    aes_key: str = field(repr=False)


def new_push_key() -> PushKey:
    """Generate a key: a token of 32 characters, and 32 random bytes in base64 without padding.

    Both are letters and digits, since WeChat's console accepts nothing else: base64's `+` and `/`
    are never drawn, which leaves 254 of 256 bits.
    """
    body = _random_text(_AES_KEY_LENGTH - 1)
    return PushKey(_random_text(_TOKEN_LENGTH), body + secrets.choice(_LAST_DIGITS))


def signature_is_right(token: str, timestamp: str, nonce: str, signature: str) -> bool:
    """Tell whether `signature` is WeChat's for these values, in constant time.

    It authenticates a URL check. For a push in plain mode it only shows that the sender has seen a
    signature: the body isn't signed.
    """
    return _is_signed(token, (timestamp, nonce), signature)


def encrypted_signature_is_right(
    token: str, timestamp: str, nonce: str, encrypted: str, msg_signature: str
) -> bool:
    """Tell whether `msg_signature` is WeChat's for these values and the Encrypt part `encrypted`.

    In constant time. False for an empty Encrypt part: its signature is that of plain mode, which
    every push contains.
    """
    return encrypted != "" and _is_signed(token, (timestamp, nonce, encrypted), msg_signature)


def _is_signed(token: str, values: tuple[str, ...], signature: str) -> bool:
    # Anybody can sign with an empty token.
    if not token:
        return False
    # A query string may have half a surrogate pair, which plain UTF-8 refuses.
    signed = "".join(sorted((token, *values))).encode("utf-8", "surrogatepass")
    expected = hashlib.sha1(signed, usedforsecurity=False).hexdigest()  # WeChat's choice, not ours
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))

"""Read a whole push, and WeChat's check of a new endpoint's URL.

Source: https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from identity_sources.wechat.push.bodies import read_fields
from identity_sources.wechat.push.encryption import opened
from identity_sources.wechat.push.keys import (
    PushKey,
    encrypted_signature_is_right,
    signature_is_right,
)
from identity_sources.wechat.push.refusals import PushRefusal, PushRefused

FRESH_SECONDS = 600

_UNIX_SECONDS = re.compile(r"[0-9]{1,10}")
# The `encrypt_type` of a body that isn't encrypted.
_NOT_ENCRYPTED = frozenset({"", "raw"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """A push. The names of `fields` are in lower case, their values are text.

    Only mode `safe` proves that WeChat sent it, and to this application. In mode `plain` the body
    isn't signed, and it may only be recorded.
    Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
    """

    mode: Literal["plain", "safe"]
    fields: Mapping[str, str] = field(repr=False)

    @property
    def event(self) -> str:
        """The event's name in lower case, such as `user_authorization_revoke`; empty if none."""
        is_message = self._text("msgtype").lower() not in {"", "event"}
        return "" if is_message else self._text("event").lower()

    @property
    def openid(self) -> str:
        """The user that the event is about, empty for an event that has no such field.

        Events about an authorisation come from the platform, so the sender isn't meant.
        """
        return self._text("openid")

    @property
    def unionid(self) -> str:
        """The user's UnionID, empty if WeChat didn't send it."""
        return self._text("unionid")

    @property
    def app_id(self) -> str:
        """The AppID in the body, often empty; in safe mode ours was verified separately."""
        return self._text("appid")

    @property
    def created_at(self) -> int | None:
        """When it happened, in Unix seconds, by WeChat's clock."""
        created_at = self._text("createtime")
        return int(created_at) if _UNIX_SECONDS.fullmatch(created_at) else None

    def _text(self, name: str) -> str:
        # Samples have blanks here, too, and indented XML has line breaks around its values.
        return self.fields.get(name, "").strip()


def read_push(
    query: Mapping[str, str], body: bytes, *, keys: Sequence[PushKey], app_id: str, now: float
) -> Push:
    """Verify and read a request that claims to be a push to the application `app_id`.

    `keys` are the valid ones, two during a rotation; `now` is in Unix seconds. If a body has plain
    fields besides an Encrypt part (compat mode), only the encrypted ones are read.

    Raises PushRefused for any invalid request.
    """
    fields = read_fields(body)
    if not _claims_encryption(query, fields):
        _require_signature(query, keys, now)
        return Push(mode="plain", fields=fields)
    encrypted = fields.get("encrypt", "").strip()
    if not encrypted:
        raise PushRefused("unreadable")
    signers = _signers_of_encrypted(query, encrypted, keys)
    _require_fresh(query, now)
    message = _message(encrypted, signers, app_id)
    return Push(mode="safe", fields=read_fields(message))


def read_url_check(query: Mapping[str, str], *, keys: Sequence[PushKey], now: float) -> str:
    """Return the `echostr` that must be returned unchanged, as `text/plain`.

    It isn't signed. Raises PushRefused: `bad_signature` or `stale`.
    """
    _require_signature(query, keys, now)
    return query.get("echostr", "")


def _claims_encryption(query: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    # Any sign of safe mode suffices: removing another one doesn't select the weaker signature.
    encrypt_type = query.get("encrypt_type", "").lower()
    is_announced = encrypt_type not in _NOT_ENCRYPTED or "msg_signature" in query
    return is_announced or "encrypt" in fields


def _require_signature(query: Mapping[str, str], keys: Sequence[PushKey], now: float) -> None:
    signature = query.get("signature", "")
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not any(signature_is_right(key.token, timestamp, nonce, signature) for key in keys):
        raise PushRefused("bad_signature")
    _require_fresh(query, now)


def _signers_of_encrypted(
    query: Mapping[str, str], encrypted: str, keys: Sequence[PushKey]
) -> list[PushKey]:
    signature = query.get("msg_signature", "")
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    signers = [
        key
        for key in keys
        if encrypted_signature_is_right(key.token, timestamp, nonce, encrypted, signature)
    ]
    if not signers:
        raise PushRefused("bad_signature")
    return signers


def _require_fresh(query: Mapping[str, str], now: float) -> None:
    timestamp = query.get("timestamp", "")
    is_time = _UNIX_SECONDS.fullmatch(timestamp) is not None
    if not is_time or abs(int(timestamp) - now) > FRESH_SECONDS:
        raise PushRefused("stale")


def _message(encrypted: str, signers: Sequence[PushKey], app_id: str) -> bytes:
    """Decrypt with the first key that works: a rotation may keep the token and change the key."""
    reason: PushRefusal = "undecryptable"
    for key in signers:
        try:
            content = opened(encrypted, key.aes_key)
        except PushRefused:
            continue
        if app_id and content.app_id == app_id.encode("utf-8", "replace"):
            return content.message
        reason = "foreign_app"
    raise PushRefused(reason)

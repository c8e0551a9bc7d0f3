"""The events that WeChat pushes, about the sandbox's people and applications.

Fields are spelled as in the vendor's samples, which are inconsistent: `OpenID` and `AppID`
of an authorisation, but `appid` of a punishment.

https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/Penalty_for_Violation
"""

import hashlib
import json
import re
from dataclasses import dataclass

from identity_sources.sandbox.exceptions import InvalidFieldError
from identity_sources.sandbox.world import (
    IDENTITY_PREFIX,
    openid_of,
    require_sandbox_app_id,
    unionid_of,
)

PLATFORM_OPENID = f"{IDENTITY_PREFIX}platform00000000000"

REVOKE = "user_authorization_revoke"
PUNISH = "wxa_punish_event"
# The platform sends these itself, and names the user in a separate field.
AUTHORIZATION_EVENTS = frozenset({"user_info_modified", REVOKE, "user_authorization_cancellation"})

_EVENT = re.compile(r"[A-Za-z0-9_]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,3}")
_TOO_LATE = 10**10
_PHONE_NUMBER = "8"
_WARNING = "1"
_THREE_DAYS = 3 * 86_400

Fields = dict[str, str | int | list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedEvent:
    """An event about `person` or, for a punishment, about the application.

    `created_at` is Unix seconds. `revoke_info` is a number as text and belongs to
    `user_authorization_revoke` only, by default the phone number (8); `event_type` belongs to
    `wxa_punish_event`, by default a warning (1). Any other event comes from the person and has no
    further fields. Raises `InvalidFieldError`.
    """

    app_id: str
    person: str
    event: str
    created_at: int
    revoke_info: str | None = None
    event_type: str | None = None

    def __post_init__(self) -> None:
        # Raises for an AppID or a person that the sandbox doesn't have.
        openid_of(self.app_id, self.person)
        if not _EVENT.fullmatch(self.event):
            raise InvalidFieldError("event", "event must be 1 to 64 letters, digits and _.")
        if not 0 <= self.created_at < _TOO_LATE:
            raise InvalidFieldError("created_at", "created_at must be a time in Unix seconds.")
        self._require_number("revoke_info", self.revoke_info, REVOKE)
        self._require_number("event_type", self.event_type, PUNISH)

    @property
    def sender(self) -> str:
        """`FromUserName`: the platform for its own events, else the person."""
        if self.event in AUTHORIZATION_EVENTS or self.event == PUNISH:
            return PLATFORM_OPENID
        return openid_of(self.app_id, self.person)

    def fields(self) -> Fields:
        """Return the message before it is written as XML or JSON."""
        common: Fields = {
            "ToUserName": original_id_of(self.app_id),
            "FromUserName": self.sender,
            "CreateTime": self.created_at,
            "MsgType": "event",
            "Event": self.event,
        }
        if self.event in AUTHORIZATION_EVENTS:
            return common | self._authorization()
        return common | self._punishment() if self.event == PUNISH else common

    def _authorization(self) -> Fields:
        openid, unionid = openid_of(self.app_id, self.person), unionid_of(self.app_id, self.person)
        fields: Fields = {"OpenID": openid, "AppID": self.app_id}
        if self.event == REVOKE:
            fields["RevokeInfo"] = self.revoke_info or _PHONE_NUMBER
        return fields if unionid is None else fields | {"UnionID": unionid}

    def _punishment(self) -> Fields:
        deadline = self.created_at + _THREE_DAYS
        detail = {"warned_type": 1, "rectify_deadline": deadline, "warned_ban_days": [3]}
        return {
            "punish_id": str(self.created_at),
            "appid": self.app_id,
            "punish_time": self.created_at,
            "illegal_reason": "沙箱中的违规原因",
            # A list in the samples, text in the table of fields.
            "illegal_content": ["沙箱中的违规内容 & <more>"],
            # JSON within a text, as in WeChat's samples.
            "detail": json.dumps(detail, separators=(",", ":")),
            "event_type": int(self.event_type or _WARNING),
        }

    def _require_number(self, name: str, value: str | None, event: str) -> None:
        if value is None:
            return
        if self.event != event:
            raise InvalidFieldError(name, f"{name} belongs to {event} only.")
        if not _NUMBER.fullmatch(value):
            raise InvalidFieldError(name, f"{name} must be a number of at most 3 digits.")


def original_id_of(app_id: str) -> str:
    """Return the application's original id in pushes: `gh_` and 12 hex digits."""
    return f"gh_{hashlib.sha256(require_sandbox_app_id(app_id).encode()).hexdigest()[:12]}"

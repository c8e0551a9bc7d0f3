"""The people and applications of the sandbox, and their ids.

Everything is derived, nothing is registered: any AppID of the reserved namespace exists, with a
secret that anyone can compute. That is safe only because a live source never accepts these ids and
a sandbox source accepts no others; the predicates below distinguish the two namespaces.

OpenID and UnionID: https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/union-id
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import NamedTuple

from identity_sources.sandbox.exceptions import InvalidFieldError

APP_ID_PREFIX = "wxsandbox"
IDENTITY_PREFIX = "oSANDBOX_"
OPEN_ACCOUNT = "sandbox"

# Public on purpose: the ids are the same on every machine, so that examples stay valid.
_SEED = b"unionpass wechat sandbox 1"
_APP_ID = re.compile(rf"{APP_ID_PREFIX}[0-9a-f]{{9}}")
_IDENTITY_LENGTH = 28
_UNBOUND_MARK = "f"


class Phone(NamedTuple):
    """A phone number in two parts, digits only; E.164 is `+` and both."""

    country_code: str
    pure_number: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person with WeChat, and optionally a phone number.

    `risk_blocked` people get a code from `wx.login`; its exchange is refused (40226).
    """

    key: str
    name: str
    name_zh: str
    nickname: str
    phone: Phone | None = None
    risk_blocked: bool = False


PEOPLE = {
    person.key: person
    for person in (
        Person("alice", "Alice Chen", "陈爱丽", "爱丽 Alice", Phone("86", "13800138001")),
        Person("bob", "Bob Wang", "王博", "Bob/王博", Phone("86", "13800138002")),
        # Real nicknames have emoji and raw control characters, most often U+0014.
        Person("carol", "Carol Lin", "林可柔", "可柔🌸\x14Carol", Phone("86", "13800138003")),
        Person("dave", "Dave Zhao", "赵大伟", "大伟"),
        Person("erin", "Erin Ho", "何绮莲", "Erin 绮莲", Phone("852", "51234567")),
        Person(
            "mallory",
            "Mallory Ma",
            "马乐理",
            "马乐理",
            Phone("86", "13800138006"),
            risk_blocked=True,
        ),
    )
}


def find_person(key: str) -> Person:
    """Return the person with this key; `InvalidFieldError` lists the existing ones."""
    person = PEOPLE.get(key)
    if person is None:
        raise InvalidFieldError("person", f"person must be one of {', '.join(PEOPLE)}.")
    return person


def is_sandbox_app_id(app_id: str) -> bool:
    """Tell whether the AppID exists in the sandbox: `wxsandbox` and 9 hexadecimal digits."""
    return _APP_ID.fullmatch(app_id) is not None


def is_sandbox_identity(identity: str) -> bool:
    """Tell whether an OpenID or UnionID is in the namespace of the sandbox."""
    return identity.startswith(IDENTITY_PREFIX)


def may_be_live_app_id(app_id: str) -> bool:
    """Tell whether a live source may use the AppID; refuses even malformed sandbox AppIDs."""
    return not app_id.strip().lower().startswith(APP_ID_PREFIX)


def may_be_live_identity(identity: str) -> bool:
    """Tell whether a live source may accept the OpenID or UnionID."""
    return not is_sandbox_identity(identity)


def require_sandbox_app_id(app_id: str) -> str:
    """Return the AppID if it exists in the sandbox, else raise `InvalidFieldError`."""
    if not is_sandbox_app_id(app_id):
        raise InvalidFieldError(
            "app_id",
            f"app_id must be {APP_ID_PREFIX} followed by 9 hexadecimal digits, "
            "such as wxsandbox000000001.",
        )
    return app_id


def sandbox_app_secret(app_id: str) -> str:
    """Return the AppSecret (32 lower-case hex digits) of a sandbox AppID; it isn't secret."""
    return _digest("app_secret", require_sandbox_app_id(app_id)).hex()[:32]


def has_open_account(app_id: str) -> bool:
    """Tell whether the application is bound to the Open Platform account `sandbox`.

    Applications whose first digit is `f` are not, and get answers without the key `unionid`.
    """
    return not app_id.startswith(APP_ID_PREFIX + _UNBOUND_MARK)


def openid_of(app_id: str, person: str) -> str:
    """Return the person's OpenID (28 characters) in the application."""
    return _identity("openid", require_sandbox_app_id(app_id), find_person(person).key)


def unionid_of(app_id: str, person: str) -> str | None:
    """Return the person's UnionID (28 characters), None if the application is not bound."""
    if not has_open_account(require_sandbox_app_id(app_id)):
        return None
    return _identity("unionid", OPEN_ACCOUNT, find_person(person).key)


def _identity(*parts: str) -> str:
    text = base64.urlsafe_b64encode(_digest(*parts)).decode("ascii")
    return (IDENTITY_PREFIX + text)[:_IDENTITY_LENGTH]


def _digest(*parts: str) -> bytes:
    return hmac.new(_SEED, "|".join(parts).encode(), hashlib.sha256).digest()

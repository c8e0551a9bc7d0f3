"""The steps of an attempt to log in, as they are stored with its event.

In the order in which they happen; where an attempt ends without tokens, ``refused`` says why:

::

    checked    the application proved itself, the scope exists, one login method was meant
    asked      one call to WeChat; with a phone code there are more, after ``identity``
    replayed   the code was exchanged before, so WeChat wasn't asked
    identity   what WeChat gave
    matched    which user that is, and by what
    phone      what became of the phone code
    issued     the tokens
    signed_on  the browser is remembered; the application gets its tokens for a code
    refused    why not

Each is a plain dict: its name under ``step``, under ``ms`` the milliseconds since the attempt
began, and its facts. No secret is among them and nothing personal: the event outlives both.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from accounts.sessions.tokens import TokenSet
from config.kernel.errors import DomainError
from identity_sources.wechat.client import CallRecord


class Name(StrEnum):
    """What a step is called."""

    CHECKED = "checked"
    ASKED = "asked"
    REPLAYED = "replayed"
    IDENTITY = "identity"
    MATCHED = "matched"
    PHONE = "phone"
    ISSUED = "issued"
    SIGNED_ON = "signed_on"
    REFUSED = "refused"


_WITHIN_TRANSACTION = frozenset({Name.MATCHED, Name.PHONE, Name.ISSUED, Name.SIGNED_ON})


@dataclass(frozen=True)
class Step:
    """A step and its facts."""

    name: Name
    facts: Mapping[str, Any]

    def row(self, *, milliseconds: int) -> dict[str, Any]:
        """Return what is stored of it."""
        return {"step": self.name.value, "ms": milliseconds, **self.facts}


def checked(scope: tuple[str, ...]) -> Step:
    """Return the step of a request that may go on to WeChat."""
    return Step(Name.CHECKED, {"scope": " ".join(scope)})


def asked(record: CallRecord) -> Step:
    """Return the step of one call to WeChat; facts that there aren't are left out."""
    facts = {
        "call": record.call,
        "request": record.request,
        "answer": dict(record.answer),
        "took": record.milliseconds,
        "attempts": record.attempts,
        "errcode": record.errcode,
        "errmsg": record.errmsg,
        "rid": record.rid,
        "reason": record.reason,
    }
    return Step(Name.ASKED, {name: fact for name, fact in facts.items() if fact not in _NOTHING})


def replayed() -> Step:
    """Return the step of a code whose answer was still kept."""
    return Step(Name.REPLAYED, {})


def identity(*, has_unionid: bool) -> Step:
    """Return the step of an identity that was read: whether it has a UnionID, never which."""
    return Step(Name.IDENTITY, {"unionid": has_unionid})


def matched(decision: str, conflict: str, *, unionid_added: bool, merged_sub: str = "") -> Step:
    """Return the step of a user who was found or made, and of whom was merged into them."""
    facts = {
        "decision": decision,
        "unionid_added": unionid_added,
        "conflict": conflict,
        "merged_sub": merged_sub,
    }
    return Step(Name.MATCHED, {name: fact for name, fact in facts.items() if fact})


def phone(status: str) -> Step:
    """Return the step of a phone code."""
    return Step(Name.PHONE, {"status": str(status)})


def issued(tokens: TokenSet) -> Step:
    """Return the step of tokens that were made.

    The access token's claims are about the login and hold nothing personal; those of the ID token
    are about the person, so only their names are kept.
    """
    header, claims = _read(tokens.access_token)
    facts = {
        "access_token": claims,
        "algorithm": header["alg"],
        "kid": header["kid"],
        "id_token": list(_read(tokens.id_token)[1]) if tokens.id_token else None,
        "refresh_token": tokens.refresh_token is not None,
        "expires_in": tokens.expires_in,
    }
    return Step(Name.ISSUED, facts)


def signed_on() -> Step:
    """Return the step of a browser whose person is known now."""
    return Step(Name.SIGNED_ON, {})


def refused(refusal: DomainError) -> Step:
    """Return the step of an attempt that ends here."""
    return Step(Name.REFUSED, {"error": refusal.code, "description": refusal.description})


def without_transaction(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps that stay true when the transaction that settles a login rolls back."""
    return [step for step in steps if step["step"] not in _WITHIN_TRANSACTION]


_NOTHING: tuple[Any, ...] = (None, "", {})


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token that was made a moment ago."""
    return _read(token)[1]


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token that was made a moment ago: nobody else's is read."""
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        for part in token.split(".")[:2]
    )
    return header, claims

"""Requests to the sandbox and its answers, with the headers and bytes that WeChat sends.

`/sns/*` has `text/plain` without a charset and escapes slashes; the others have
`application/json` with `encoding=utf-8`, which is no charset either. Refusals are status 200.
Vendor's format: https://developers.weixin.qq.com/miniprogram/dev/server/getting_started/
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from identity_sources.sandbox.exceptions import RefusedError

Payload = dict[str, Any]


class ConnectionFault(StrEnum):
    """A fault of the connection instead of an answer, carried out by the adapters."""

    CONNECTION_REFUSED = "connection_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECTION_DROPPED = "connection_dropped"
    READ_TIMEOUT = "read_timeout"


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One HTTP request; `query` holds the first value of each parameter, `body` raw bytes."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def from_target(cls, method: str, target: str, body: bytes = b"") -> Self:
        """Build the request from a URL or a request target; the host is ignored."""
        parts = urlsplit(target)
        return cls(method.upper(), parts.path, first_values(parts.query), body)


@dataclass(frozen=True, slots=True)
class SandboxAnswer:
    """One HTTP answer, to be sent after `delay_seconds`.

    With `fault` set nothing is sent at all: status, headers and body are meaningless then.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float = 0.0
    fault: ConnectionFault | None = None


def first_values(query: str) -> dict[str, str]:
    """Parse a query string or form; of a repeated parameter the first value counts."""
    return dict(reversed(parse_qsl(query, keep_blank_values=True)))


def content_type(path: str) -> str:
    """Return the `Content-Type` that WeChat's front end sends for this path."""
    return "text/plain" if path.startswith("/sns/") else "application/json; encoding=utf-8"


def encode(path: str, payload: Payload) -> bytes:
    """Serialise compactly in raw UTF-8; `/sns/*` escapes slashes as PHP does."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    if path.startswith("/sns/"):
        text = text.replace("/", "\\/")
    return text.encode()


def answer(path: str, payload: Payload) -> SandboxAnswer:
    """Return the normal answer: status 200, also for errors."""
    return SandboxAnswer(200, {"Content-Type": content_type(path)}, encode(path, payload))


def refusal_payload(refusal: RefusedError, now: float) -> Payload:
    """Return `errcode` and `errmsg`, which ends with a request id as in WeChat's answers.

    The id's first 8 hex digits are the Unix time; sometimes a comma precedes it, sometimes not.
    https://developers.weixin.qq.com/doc/oplatform/developers/troubleshooting
    """
    separator = secrets.choice((", rid: ", " rid: "))
    rid = f"{int(now):08x}-{secrets.randbits(32):08x}-{secrets.randbits(32):08x}"
    return {"errcode": refusal.errcode, "errmsg": f"{refusal.errmsg}{separator}{rid}"}

"""Send one call to WeChat over HTTP and bring back its bytes.

Every call carries a secret in its URL or body, so redirects aren't followed. What goes wrong on the
way is raised as the HTTP library words it, URL and all: the caller mustn't let it out (`client`).
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import requests

from identity_sources.wechat.errcodes import Credential
from identity_sources.wechat.errors import WeChatUnavailable

LARGEST_ANSWER = 1024 * 1024
_CHUNK = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What is asked of WeChat. `secrets` are the values that nothing may show afterwards."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    credential: Credential
    query: Mapping[str, str] = field(repr=False, default_factory=dict)
    body: Mapping[str, str | bool] | None = field(repr=False, default=None)
    secrets: tuple[str, ...] = field(repr=False)


def exchange(
    session: requests.Session, api_url: str, call: Call, *, timeout: tuple[float, float]
) -> tuple[int, bytes]:
    """Send the call once; return status and body. `timeout` is (connect, read) in seconds.

    Raises WeChatUnavailable (`too_large`, `timed_out`) or one of `HTTP_FAILURES`.
    """
    # Uncompressed, so that the limit on the answer's size is one on what is sent.
    headers = {"Accept-Encoding": "identity"}
    data = None
    if call.body is not None:
        headers["Content-Type"] = "application/json"
        # WeChat refuses what JSON may escape by its number (40033, 47002).
        data = json.dumps(call.body, ensure_ascii=False).encode()
    with session.request(
        call.method,
        api_url + call.path,
        params=call.query,
        data=data,
        headers=headers,
        timeout=timeout,
        allow_redirects=False,
        stream=True,
    ) as response:
        return response.status_code, _bounded_body(response, timeout[1])


def _bounded_body(response: requests.Response, seconds: float) -> bytes:
    """Read a body that is neither too large nor comes in drops, each within the time-out."""
    body = bytearray()
    deadline = time.monotonic() + seconds
    while chunk := response.raw.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise WeChatUnavailable("too_large")
        if time.monotonic() > deadline:
            raise WeChatUnavailable("timed_out")
    return bytes(body)

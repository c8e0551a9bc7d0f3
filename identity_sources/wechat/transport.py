"""Send one call to WeChat over HTTP and return the bytes of the answer.

Every call has a secret in its URL or body, so redirects aren't followed. Exceptions are those of
the HTTP library, which quote the URL: the caller (`client`) mustn't pass them on.
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
    """A call to WeChat. `secrets` are the values that must never be shown."""

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
    # Uncompressed, so that the limit on the answer's size applies to the transfer as well.
    headers = {"Accept-Encoding": "identity"}
    data = None
    if call.body is not None:
        headers["Content-Type"] = "application/json"
        # WeChat refuses escaped characters in JSON (40033, 47002).
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
    """Read a body within limits of its size and of the total time."""
    body = bytearray()
    deadline = time.monotonic() + seconds
    while chunk := response.raw.read1(_CHUNK):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise WeChatUnavailable("too_large")
        if time.monotonic() > deadline:
            raise WeChatUnavailable("timed_out")
    return bytes(body)

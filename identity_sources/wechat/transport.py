"""Send one call to WeChat over HTTP and return the bytes of the answer.

Every call has a secret in its URL or body, so redirects aren't followed. Exceptions are those of
the HTTP library, which quote the URL: the caller (`client`) mustn't pass them on.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode

import requests
from requests.structures import CaseInsensitiveDict

from identity_sources.wechat.errcodes import Credential
from identity_sources.wechat.errors import WeChatUnavailable

LARGEST_ANSWER = 1024 * 1024
_CHUNK = 16 * 1024
# Uncompressed, so that the limit on the answer's size applies to the transfer as well.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "unionpass"}


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
    request = _prepared(session, api_url, call)
    # The adapter itself: `Session.send` would go on to cookies, redirects and hooks, of which there
    # are none here, and costs as much as everything else of a call.
    with session.get_adapter(api_url).send(
        request,
        stream=True,
        timeout=timeout,
        verify=True,
        cert=session.cert,
        proxies=session.proxies,
    ) as response:
        return response.status_code, _bounded_body(response, timeout[1])


def _prepared(session: requests.Session, api_url: str, call: Call) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.method = call.method
    query = f"?{urlencode(call.query)}" if call.query else ""
    request.url = f"{api_url}{call.path}{query}"
    request.headers = CaseInsensitiveDict(_HEADERS)
    if call.body is not None:
        request.headers["Content-Type"] = "application/json"
        # WeChat refuses escaped characters in JSON (40033, 47002).
        request.body = json.dumps(call.body, ensure_ascii=False).encode()
        request.headers["Content-Length"] = str(len(request.body))
    return request


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

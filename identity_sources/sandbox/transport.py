"""The sandbox as a transport of `requests`: the errors and responses of a socket, without one.

session.mount("https://api.weixin.qq.com/", SandboxAdapter(sandbox))
"""

import io
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.client import RemoteDisconnected
from typing import NoReturn
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.messages import ConnectionFault, SandboxAnswer, SandboxRequest

_HTTPS_PORT = 443


class SandboxAdapter(BaseAdapter):
    """Answers every request of the session from the sandbox, for any host.

    For an answer later than the read time-out it sleeps and raises `ReadTimeout`. The scripted
    connection faults raise at once what `requests` raises for the real ones, with urllib3's
    exceptions inside. `sleep` takes seconds.
    """

    def __init__(self, sandbox: Sandbox, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._sleep = sleep
        # Only for build_response, which derives encoding, reason and cookies as over a socket.
        self._builder = HTTPAdapter()

    def send(  # noqa: PLR0913, PLR0917  requests' signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002  requests' signature
        timeout: float | tuple[float | None, float | None] | Timeout | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002  nothing to verify
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return a response; with `stream` its body is unread, as with a socket."""
        answer = self._sandbox.handle(_sandbox_request(request))
        if answer.fault is not None:
            _raise_fault(answer.fault, request)
        self._wait(answer.delay_seconds, _read_timeout(timeout), request)
        response = self._builder.build_response(request, _urllib3_response(answer))
        if not stream:
            # `requests` loads the body by reading this property.
            _ = response.content
        return response

    def close(self) -> None:
        """Do nothing: there are no connections."""

    def _wait(
        self,
        delay: float,
        read_timeout: float | None,
        request: requests.PreparedRequest,
    ) -> None:
        if read_timeout is not None and delay >= read_timeout:
            self._sleep(read_timeout)
            _raise_fault(ConnectionFault.READ_TIMEOUT, request)
        if delay > 0:
            self._sleep(delay)


def _sandbox_request(request: requests.PreparedRequest) -> SandboxRequest:
    return SandboxRequest.from_target(
        request.method or "GET",
        request.url or "/",
        _body_bytes(request.body),
    )


def _body_bytes(body: bytes | str | Iterable[bytes] | None) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b"".join(body)


def _read_timeout(
    timeout: float | tuple[float | None, float | None] | Timeout | None,
) -> float | None:
    if isinstance(timeout, tuple):
        return timeout[1]
    if isinstance(timeout, Timeout):
        read = timeout.read_timeout
        return float(read) if isinstance(read, int | float) else None
    return timeout


def _urllib3_response(answer: SandboxAnswer) -> HTTPResponse:
    return HTTPResponse(
        body=io.BytesIO(answer.body),
        headers={**answer.headers, "Content-Length": str(len(answer.body))},
        status=answer.status,
        reason=HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else None,
        preload_content=False,
        decode_content=False,
    )


def _raise_fault(fault: ConnectionFault, request: requests.PreparedRequest) -> NoReturn:
    parts = urlsplit(request.url or "")
    host, port = parts.hostname or "localhost", parts.port or _HTTPS_PORT
    target = f"{parts.path}?{parts.query}"
    pool, connection = HTTPConnectionPool(host, port), HTTPConnection(host, port)
    if fault is ConnectionFault.CONNECTION_REFUSED:
        refused = NewConnectionError(
            connection,
            "Failed to establish a new connection: [Errno 111] Connection refused",
        )
        raise requests.ConnectionError(MaxRetryError(pool, target, refused), request=request)
    if fault is ConnectionFault.CONNECT_TIMEOUT:
        late = ConnectTimeoutError(connection, f"Connection to {host} timed out.")
        raise requests.ConnectTimeout(MaxRetryError(pool, target, late), request=request)
    if fault is ConnectionFault.READ_TIMEOUT:
        raise requests.ReadTimeout(
            ReadTimeoutError(pool, target, "Read timed out."),
            request=request,
        )
    dropped = RemoteDisconnected("Remote end closed connection without response")
    raise requests.ConnectionError(ProtocolError("Connection aborted.", dropped), request=request)

"""The sandbox as a WSGI application: WeChat's paths and the control endpoints under `/sandbox/`.

A WSGI application can't refuse a connection that is already open: the connection faults close the
connection without an answer (time-outs: after 60 s), by an exception that wsgiref handles. Whether
the code is used up depends on the fault.
"""

import json
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from identity_sources.sandbox.control import control
from identity_sources.sandbox.emulator import Sandbox
from identity_sources.sandbox.messages import (
    ConnectionFault,
    SandboxAnswer,
    SandboxRequest,
    first_values,
)

HANG_SECONDS = 60.0
LONGEST_BODY = 1_048_576

_HANGS = frozenset({ConnectionFault.CONNECT_TIMEOUT, ConnectionFault.READ_TIMEOUT})


class SandboxApplication:
    """Serves `sandbox`; `sleep` takes seconds, for latency and time-outs."""

    def __init__(self, sandbox: Sandbox, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sandbox = sandbox
        self._sleep = sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; raises `ConnectionAbortedError` to have the connection closed."""
        request = _sandbox_request(environ)
        answer = self._control_answer(request) or self._sandbox.handle(request)
        if answer.fault in _HANGS:
            self._sleep(HANG_SECONDS)
        elif answer.delay_seconds > 0:
            self._sleep(answer.delay_seconds)
        if answer.fault is not None:
            raise ConnectionAbortedError(answer.fault)
        headers = [*answer.headers.items(), ("Content-Length", str(len(answer.body)))]
        start_response(_status_line(answer.status), headers)
        return [answer.body]

    def _control_answer(self, request: SandboxRequest) -> SandboxAnswer | None:
        outcome = control(self._sandbox, request)
        if outcome is None:
            return None
        status, data = outcome
        # Messages quote the request, which may contain halves of surrogate pairs.
        body = json.dumps(data, ensure_ascii=False).encode(errors="replace")
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return SandboxAnswer(status, headers, body)


def _sandbox_request(environ: WSGIEnvironment) -> SandboxRequest:
    length = environ.get("CONTENT_LENGTH") or "0"
    size = min(int(length), LONGEST_BODY) if length.isdecimal() else 0
    return SandboxRequest(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", ""),
        query=first_values(environ.get("QUERY_STRING", "")),
        body=environ["wsgi.input"].read(size) if size else b"",
    )


def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    return f"{status} {phrase}"

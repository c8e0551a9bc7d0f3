"""Flows through the WSGI application in this process, one after the other, without a socket."""

import io
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from benchmarks.http1 import END_OF_HEAD, Answer
from benchmarks.scenarios import Flow

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# As Granian's.
_SERVER = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


def carry_out(application: Application, flow: Flow) -> None:
    """Answer each request of the flow until it ends.

    Raises:
        Failed: the flow got another answer than it needs.

    """
    request = next(flow)
    while True:
        try:
            request = flow.send(answer_of(application, request))
        except StopIteration:
            return


def answer_of(application: Application, request: bytes) -> Answer:
    """Return the application's answer to one request."""
    said: list[Any] = []
    chunks = application(
        environ_of(request), lambda *status_and_headers: said.extend(status_and_headers)
    )
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    status, headers = said[:2]
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    return Answer(HTTPStatus(int(status[:3])), "\r\n".join(lines).encode("latin-1"), body)


def environ_of(request: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request (PEP 3333)."""
    head, _, body = request.partition(END_OF_HEAD)
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environ = _SERVER | {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(body),
    }
    for line in lines:
        name, _, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key in _WITHOUT_PREFIX else f"HTTP_{key}"] = value
    return environ

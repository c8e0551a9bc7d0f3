"""A small threaded HTTP/1.1 server for the sandbox, on loopback only.

wsgiref speaks HTTP/1.0; the handler below keeps connections alive, because clients that pool them
behave differently from clients that don't, and load tests run out of ports otherwise.
"""

import ipaddress
import logging
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn
from typing import IO, Any, ClassVar, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from identity_sources.sandbox.wsgi import LONGEST_BODY, SandboxApplication

logger = logging.getLogger(__name__)

_LONGEST_REQUEST_LINE = 65_536
_LONGEST_LENGTH = 10


class SandboxServer(ThreadingMixIn, WSGIServer):
    """One thread for each connection; bind port 0 and read `server_port` for any free port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, application: SandboxApplication) -> None:
        """Bind; raises ValueError unless `host` is loopback, OSError if the port is taken."""
        if not is_loopback(host):
            raise ValueError(f"The WeChat sandbox serves loopback only, and {host} isn't loopback.")
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _KeepAliveHandler)
        self.set_app(application)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Http11ServerHandler(ServerHandler):
    http_version = "1.1"
    has_answered = False

    def close(self) -> None:
        super().close()
        self.has_answered = True


class _KeepAliveHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = 60.0
    # Header and body go out in two writes; with Nagle's algorithm the second waits for an
    # acknowledgement, 40 ms on Linux.
    disable_nagle_algorithm = True

    # wsgiref overrides this with a version that serves one request only.
    handle = BaseHTTPRequestHandler.handle

    def handle_one_request(self) -> None:
        try:
            self._serve_one_request()
        except OSError:
            # The client has closed the connection or sends nothing.
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's signature
        # Request lines contain secrets and codes, and a malformed one has no path.
        path = getattr(self, "path", "").partition("?")[0]
        logger.debug("%s %s", self.command, path)

    def _serve_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(_LONGEST_REQUEST_LINE + 1)
        if not self.raw_requestline or len(self.raw_requestline) > _LONGEST_REQUEST_LINE:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        if not self._has_readable_body():
            self.close_connection = True
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        handler = _Http11ServerHandler(
            cast("IO[bytes]", self.rfile),
            cast("IO[bytes]", self.wfile),
            self.get_stderr(),
            self.get_environ(),
            multithread=True,
        )
        handler.request_handler = self  # type: ignore[attr-defined]  # as wsgiref does itself
        handler.run(self.server.get_app())  # type: ignore[attr-defined]  # the server is a WSGIServer
        if not handler.has_answered:
            self.close_connection = True

    def _has_readable_body(self) -> bool:
        # Unread bytes of the body would be read as the next request.
        length = self.headers.get("Content-Length", "0")
        is_chunked = "Transfer-Encoding" in self.headers
        is_short = length.isdecimal() and len(length) < _LONGEST_LENGTH
        return not is_chunked and is_short and int(length) <= LONGEST_BODY

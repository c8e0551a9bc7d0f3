"""The applications' own server: where browsers come back to, and where logouts are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

PATIENCE_SECONDS = 20
PAGE = b"<!doctype html><title>Back</title><h1>Back at the application</h1>"


@dataclass(frozen=True)
class Arrival:
    """A request as it came: its full address, and the form in its body if it was a POST."""

    url: str
    form: str


@dataclass
class Listener:
    """A server on loopback which keeps what comes, by path."""

    origin: str
    _arrivals: dict[str, Queue[Arrival]] = field(default_factory=dict)

    @property
    def callback(self) -> str:
        return f"{self.origin}/callback"

    @property
    def logged_out(self) -> str:
        return f"{self.origin}/logged-out"

    def arrive(self, path: str, form: str) -> None:
        """Keep a request."""
        self._queue(urlsplit(path).path).put(Arrival(self.origin + path, form))

    def arrival(self, path: str) -> Arrival:
        """Wait for the next request to the path."""
        return self._queue(path).get(timeout=PATIENCE_SECONDS)

    def forget(self) -> None:
        """Drop what nobody has asked for."""
        self._arrivals.clear()

    def logout_token(self, sid: str) -> str:
        """Wait for the logout token about this session; other tests' sessions end too."""
        while True:
            [token] = parse_qs(self.arrival("/session-ended").form)["logout_token"]
            if jwt.decode(token, options={"verify_signature": False})["sid"] == sid:
                return token

    def _queue(self, path: str) -> Queue[Arrival]:
        return self._arrivals.setdefault(path, Queue())


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._arrive("")

        def do_POST(self) -> None:
            self._arrive(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _arrive(self, form: str) -> None:
            listener.arrive(self.path, form)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener = Listener(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield listener
        server.shutdown()

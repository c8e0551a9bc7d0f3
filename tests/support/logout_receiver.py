"""Servers on loopback: an application's, for logout notices, and one that sends any bytes."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Receiver:
    """An application's server on loopback; it returns ``answers`` in turn, then 200."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    heard: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    """(path, headers, form) of each POST"""
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called within each request, on its thread."""
    url: str = ""

    @property
    def tokens(self) -> list[str]:
        """The logout tokens so far."""
        return [form["logout_token"][0] for _, _, form in self.heard]

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Return this answer once."""
        self.answers.append((status, headers or {}, body))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen until the test is over."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.heard.append((self.path, dict(self.headers), parse_qs(body)))
            for listener in receiver.listeners:
                listener()
            status, headers, answer = (
                receiver.answers.pop(0) if receiver.answers else (200, {}, b"")
            )
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            receiver.heard.append((self.path, dict(self.headers), {}))
            self.send_error(500)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/logged-out"
        yield receiver
        server.shutdown()


@contextmanager
def raw_serving() -> Iterator[Callable[..., str]]:
    """A server that sends these bytes to every request, then waits for the connection to close."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        done = Event()

        def serve(*parts: bytes, pause: float = 0.0) -> str:
            def answer() -> None:
                with suppress(OSError):
                    while True:
                        line, _ = listening.accept()
                        Thread(target=say, args=(line,), daemon=True).start()

            def say(line: socket.socket) -> None:
                with line, suppress(OSError):
                    line.recv(65536)
                    for part in parts:
                        line.sendall(part)
                        time.sleep(pause)
                    done.wait(5)

            Thread(target=answer, daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/"

        yield serve
        done.set()
        # Closing wouldn't wake a blocked accept().
        listening.shutdown(socket.SHUT_RDWR)

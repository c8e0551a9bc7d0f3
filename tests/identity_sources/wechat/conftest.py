"""Fixtures of the WeChat tests: one mini program, its made-up secrets, a client, a small server."""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
import responses

from config.kernel.http import new_session
from identity_sources.wechat.client import CallRecord, WeChatClient

API_URL = "https://api.weixin.qq.com"
TLS_HANDSHAKE = b"\x16\x03"
Handler = Callable[[socket.socket], None]


class RawServer:
    """Lets a test decide, connection by connection, what happens on the socket."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.connections = 0
        self.requests: list[bytes] = []
        self.handler: Handler = lambda _connection: None
        self.closing = threading.Event()

    def serve(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.connections += 1
                connection.settimeout(5)
                self.requests.append(_request_on(connection))
                self.handler(connection)

    def answer(self, body: bytes, *, head: str = "HTTP/1.1 200 OK") -> None:
        """Answer every request with these bytes, then close."""
        headers = f"{head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.handler = lambda connection: connection.sendall(headers.encode() + body)

    def reset(self) -> None:
        """Read every request, then reset its connection."""
        self.handler = _reset

    def hang(self) -> None:
        """Read every request and answer nothing until the test ends."""
        self.handler = lambda _connection: self.closing.wait(5) and None


def _request_on(connection: socket.socket) -> bytes:
    request = b""
    # The body as well: closing with unread bytes would reset the connection.
    while not _is_whole(request):
        received = connection.recv(65536)
        if not received:
            break
        request += received
    return request


def _is_whole(request: bytes) -> bool:
    if request.startswith(TLS_HANDSHAKE):
        return True
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def _reset(connection: socket.socket) -> None:
    # Lingering for 0 seconds makes close() send a reset instead of an orderly end.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        raw_server = RawServer(listener)
        thread = threading.Thread(target=raw_server.serve, daemon=True)
        thread.start()
        yield raw_server
        raw_server.closing.set()
        # A blocked accept() isn't woken by close() everywhere; a connection wakes it.
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        thread.join(5)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def mini_program() -> dict[str, str]:
    return {"app_id": "wx0123456789abcdef", "app_secret": "5ec4e75ec4e75ec4e75ec4e75ec4e75e"}


@pytest.fixture
def login(mini_program) -> dict[str, str]:
    return {**mini_program, "js_code": "0a1JsCodeOfAlice0000000000a1Js00"}


@pytest.fixture
def oauth(mini_program) -> dict[str, str]:
    return {**mini_program, "code": "0b1OAuthCodeOfAlice0000000000b1O"}


@pytest.fixture
def phone() -> dict[str, str]:
    return {
        "access_token": "99_AccessTokenOfAcme-0000000000",
        "code": "c0deofa11cesphone" * 3,
        "openid": "oFAKEfake0000000000000000001",
    }


@pytest.fixture
def records() -> list[CallRecord]:
    return []


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client_for(records, pauses) -> Callable[..., WeChatClient]:
    def make(api_url: str = API_URL, *, proxy_url: str | None = None) -> WeChatClient:
        return WeChatClient(
            new_session(pool_size=2, proxy_url=proxy_url),
            api_url=api_url,
            timeout=(1.0, 0.3),
            observer=records.append,
            pause=pauses.append,
        )

    return make


@pytest.fixture
def client(client_for) -> WeChatClient:
    return client_for()


@pytest.fixture
def wechat() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock

"""An HTTP adapter with one time-out for the whole request, not for each read.

Otherwise a server that sends its headers byte by byte, or whose name has many unreachable
addresses, blocks a thread for hours. The name's lookup isn't included.
"""

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError


class DeadlineAdapter(HTTPAdapter):
    """Use it with ``timeout=urllib3.Timeout(total=seconds)``, for the whole request."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class _Incoming(io.RawIOBase):
    """The bytes that arrive at a socket within its time-out, counted from now."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._bytes = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left_until(self._deadline))
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Incoming(sock))


class _Connection(HTTPConnection):
    response_class = _Answer

    def _new_conn(self) -> socket.socket:
        try:
            sock = _connected(self._dns_host, self.port or self.default_port, self.timeout or 0)
        except (OSError, UnicodeError) as failure:
            raise NewConnectionError(self, "No address could be reached.") from failure
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        return sock


class _TLSConnection(_Connection, HTTPSConnection):
    """The handshake has the rest of the time-out."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to the first address that can be reached; raise OSError if none is in time."""
    deadline = time.monotonic() + seconds
    failure = OSError("The name has no address.")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left_until(deadline))
            sock.connect(address)
            sock.settimeout(_left_until(deadline))
        except OSError as refused:
            sock.close()
            failure = refused
        else:
            return sock
    raise failure


def _left_until(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

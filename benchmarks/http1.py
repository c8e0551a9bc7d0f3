"""As much of HTTP/1.1 as the load generator and the emulator need, and no more."""

import re
from typing import NamedTuple

END_OF_HEAD = b"\r\n\r\n"
FORM = "application/x-www-form-urlencoded"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_WITHOUT_BODY = frozenset({204, 304})


class Answer(NamedTuple):
    """A complete answer; ``head`` has the status line and the headers."""

    status: int
    head: bytes
    body: bytes

    def headers(self, name: str) -> list[str]:
        """Return the values of a header, in their order."""
        found = re.findall(rb"\r\n%b: *([^\r]*)" % name.encode(), self.head, re.IGNORECASE)
        return [value.decode("latin-1") for value in found]

    @property
    def location(self) -> str:
        """Where a redirect leads to; empty for any other answer."""
        return next(iter(self.headers("location")), "")


def read_answer(data: bytes | bytearray) -> tuple[Answer, int] | None:
    """Return the first answer in the data and its length; None if it isn't complete yet."""
    end = data.find(END_OF_HEAD)
    if end < 0:
        return None
    head, start = bytes(data[:end]), end + len(END_OF_HEAD)
    status = int(head[9:12])
    length = _LENGTH.search(head)
    if length is None and _CHUNKED.search(head) is not None:
        return _read_chunks(status, head, data, start)
    size = 0 if length is None or status in _WITHOUT_BODY else int(length[1])
    if len(data) < start + size:
        return None
    return Answer(status, head, bytes(data[start : start + size])), start + size


def _read_chunks(
    status: int, head: bytes, data: bytes | bytearray, position: int
) -> tuple[Answer, int] | None:
    body = bytearray()
    while (line_end := data.find(b"\r\n", position)) >= 0:
        size = int(bytes(data[position:line_end]).partition(b";")[0], 16)
        begin = line_end + 2
        position = begin + size + 2
        if len(data) < position:
            return None
        if size == 0:
            return Answer(status, head, bytes(body)), position
        body += data[begin : begin + size]
    return None


def request(
    method: str, path: str, host: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    """Return a request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


class CookieJar:
    """The cookies of one browser at one site; paths count, expiry doesn't."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str], str] = {}

    def keep(self, answer: Answer) -> None:
        """Take the cookies that an answer sets, and drop those that it deletes."""
        for line in answer.headers("set-cookie"):
            pair, *attributes = [part.strip() for part in line.split(";")]
            name, _, value = pair.partition("=")
            given = dict(attribute.lower().partition("=")[::2] for attribute in attributes)
            key = (name, given.get("path") or "/")
            if given.get("max-age") == "0":
                self._cookies.pop(key, None)
            else:
                self._cookies[key] = value

    def header(self, path: str) -> dict[str, str]:
        """Return the Cookie header for a path; empty if there are no cookies for it."""
        sent = [
            f"{name}={value}"
            for (name, scope), value in self._cookies.items()
            if path.startswith(scope)
        ]
        return {"Cookie": "; ".join(sent)} if sent else {}

"""A program that answers as WeChat does, after a fixed time, as cheaply as possible.

It shares no code with the sandbox. A code is ``p<number of the person>-<nonce>`` and works once,
as WeChat's codes do; OpenID, UnionID and session key follow from the code and the AppID.

    python -m benchmarks.emulator [milliseconds]

prints its address and serves until it is stopped.
"""

import asyncio
import base64
import hashlib
import json
import sys
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from benchmarks.http1 import END_OF_HEAD

DEFAULT_MILLISECONDS = 80.0
_USED: dict[str, str | int] = {
    "errcode": 40163,
    "errmsg": "code been used, rid: 65f3e9f7-77cf1a1c-0dd74a0e",
}
_INVALID: dict[str, str | int] = {
    "errcode": 40029,
    "errmsg": "invalid code, rid: 65f3e9f7-77cf1a1c-0dd74a0e",
}


def _letters(*words: str) -> str:
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


@lru_cache(maxsize=100_000)
def identity(app_id: str, person: str) -> dict[str, str]:
    """Return the OpenID and the UnionID of a person, in the shapes of WeChat's."""
    return {
        "openid": "o" + _letters("openid", app_id, person)[:27],
        "unionid": "o6" + _letters("unionid", person)[:26],
    }


class WeChat:
    """What WeChat knows: the codes that were used."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def answer(self, target: str) -> bytes:
        """Return the JSON that answers a GET of this path and query."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/sns/jscode2session":
            found = self._exchange(query.get("js_code", ""), query)
            key = {"session_key": _letters(query.get("js_code", ""))[:22] + "=="}
            return _json(found | key if "openid" in found else found)
        if parts.path == "/sns/oauth2/access_token":
            found = self._exchange(query.get("code", ""), query)
            return _json(found | _oauth(found) if "openid" in found else found)
        if parts.path == "/sns/userinfo":
            person = query.get("access_token", "").rpartition("_")[2]
            return _json({"openid": query.get("openid", ""), **_profile(person)})
        return _json({"errcode": 40066, "errmsg": "invalid url"})

    def _exchange(self, code: str, query: dict[str, str]) -> dict[str, str | int]:
        person = code.partition("-")[0]
        if not (person[:1] == "p" and person[1:].isdigit()):
            return dict(_INVALID)
        if code in self._used:
            return dict(_USED)
        self._used.add(code)
        return dict(identity(query.get("appid", ""), person))


def _oauth(found: dict[str, str | int]) -> dict[str, str | int]:
    return {
        "access_token": f"ACCESS_TOKEN_{found['unionid']}",
        "refresh_token": f"REFRESH_TOKEN_{found['unionid']}",
        "expires_in": 7200,
        "scope": "snsapi_login",
    }


def _profile(unionid: str) -> dict[str, str | int | list[str]]:
    return {
        "unionid": unionid,
        "nickname": "Alice",
        "sex": 0,
        "province": "",
        "city": "",
        "country": "",
        "headimgurl": "",
        "privilege": [],
    }


def _json(answer: object) -> bytes:
    return json.dumps(answer).encode()


class Connection(asyncio.Protocol):
    """A kept-alive connection of a server that calls WeChat."""

    def __init__(self, wechat: WeChat, seconds: float) -> None:
        self._wechat = wechat
        self._seconds = seconds
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END_OF_HEAD)) >= 0:
            head, self._buffer = self._buffer[:end], self._buffer[end + len(END_OF_HEAD) :]
            target = head.split(b" ", 2)[1].decode("latin-1")
            body = self._wechat.answer(target)
            answer = (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            if self._seconds:
                self._loop.call_later(self._seconds, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve(milliseconds: float) -> None:
    """Listen on a free port of the loopback interface, and print the address."""
    wechat = WeChat()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(wechat, milliseconds / 1000), "127.0.0.1", 0, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)  # noqa: T201 - who started it reads this
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if sys.argv[1:] else DEFAULT_MILLISECONDS))

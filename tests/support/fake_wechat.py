"""A program that answers as WeChat does and shares no code with the sandbox.

Its answers are WeChat's documented examples, byte for byte if there is one. A code's prefix
decides: ``alice-1`` logs Alice in, ``err40163-1`` is refused with that errcode, ``html-1``
returns a page. It listens on its own loopback port until it is stopped.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

APP_ID = "wx4f4bc4dec97d474b"  # of WeChat's own decryption example
APP_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SESSION_KEY = "tiihtNczf5v6AKRyjwEUhQ=="

_ERRCODE = re.compile(r"err(-?\d+)")
_RID = "rid: 65f3e9f7-77cf1a1c-0dd74a0e"
_PHONE = {
    "phoneNumber": "13580006666",
    "purePhoneNumber": "13580006666",
    "countryCode": "86",
    "watermark": {"timestamp": 1637744274, "appid": APP_ID},
}


class FakeWeChat:
    """Serves until the block ends; ``calls`` counts the requests for each path."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(fake: FakeWeChat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            self._answer(query.get("js_code", ""), query)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(body.get("code", ""), body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

        def _answer(self, code: str, fields: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            fake.calls[path] = fake.calls.get(path, 0) + 1
            if code.startswith("slow"):
                time.sleep(3)
            status, kind, body = _page(path, code, fields)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _page(path: str, code: str, fields: dict[str, Any]) -> tuple[int, str, bytes]:
    if code.startswith("html"):
        return 200, "text/html", b"<html><body>502 Bad Gateway</body></html>"
    if code.startswith("status500"):
        return 500, "text/plain", b""
    if code.startswith("empty"):
        return 200, "text/html; charset=gbk", b""
    return 200, "text/plain", json.dumps(_json(path, code, fields)).encode()


def _json(path: str, code: str, fields: dict[str, Any]) -> dict[str, Any]:
    refused = _ERRCODE.match(code)
    if refused:
        return {"errcode": int(refused[1]), "errmsg": f"refused, {_RID}"}
    if path == "/cgi-bin/stable_token":
        return {"access_token": "ACCESS_TOKEN_OF_THE_APPLICATION", "expires_in": 7200}
    if path == "/wxa/business/getuserphonenumber":
        return {"errcode": 0, "errmsg": "ok", "phone_info": _PHONE}
    if fields.get("secret") != APP_SECRET:
        return {"errcode": 40125, "errmsg": f"invalid appsecret, {_RID}"}
    person = code.partition("-")[0]
    return {
        "openid": f"o{person:_<27}",
        "session_key": SESSION_KEY,
        "unionid": f"o6{person:_<26}",
        "errcode": 0,
        "errmsg": "ok",
    }

"""What the load generator does at a server: one login, or one use of another door.

A scenario is made of the parameters that the server's program gives (README.md). It is a function
that returns a new *flow*: a generator that yields requests as bytes and is sent each answer. The
same flows are used for this server, the floor and the peers.
"""

import itertools
import json
import re
import secrets
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.http1 import FORM, Answer, CookieJar, request

Flow = Generator[bytes, Answer, None]
"""what one iteration of a scenario asks for, and is answered"""
NewFlow = Callable[[int], Flow]
"""returns a flow for the connection with this number"""

WECHATS_PAGE = "/connect/qrconnect"
MOST_REDIRECTS = 12
FIRST_NEW_PERSON = 10**9
_SHOWN = 600


class Failed(Exception):
    """A flow got another answer than it needs; the message shows it."""


class People:
    """Codes of people, in turn: of a population, or of people that nobody has seen before."""

    def __init__(self, population: int) -> None:
        first = 0 if population else FIRST_NEW_PERSON + secrets.randbits(60)
        self._population = population
        self._turns = itertools.count(first)
        self._run = secrets.token_hex(4)

    def code(self) -> str:
        """Return a new code of the next person."""
        turn = next(self._turns)
        person = turn % self._population if self._population else turn
        return f"p{person}-{self._run}{turn:x}"


class Scenario:
    """The parameters that flows share, and the tokens that they keep."""

    def __init__(self, host: str, parameters: dict[str, Any]) -> None:
        self.host = host
        self.parameters = parameters
        self.people = People(parameters.get("population", 0))
        self.tokens: list[str] = list(parameters.get("tokens", ()))
        self.kept: list[dict[str, str]] = []

    def login(self, _connection: int) -> Flow:
        """Log a person in with a code of ``wx.login``."""
        body = {"code": self.people.code()} | self.parameters["fields"]
        answer = yield request(
            "POST",
            self.parameters["path"],
            self.host,
            {"Content-Type": "application/json"},
            json.dumps(body).encode(),
        )
        self._keep(_with(answer, b'"access_token"'))

    def website(self, _connection: int) -> Flow:
        """Go from an application to WeChat and back, in a new browser."""
        yield from self._to_wechat_and_back()

    def whole_way(self, _connection: int) -> Flow:
        """Go to WeChat and back, and exchange the authorization code for tokens."""
        location = yield from self._to_wechat_and_back()
        token = self.parameters["token"]
        code = parse_qs(urlsplit(location).query)["code"][0]
        answer = yield self._form(token, {"code": code})
        self._keep(_with(answer, b'"access_token"'))

    def refresh(self, connection: int) -> Flow:
        """Rotate a refresh token; each connection has a chain of its own."""
        answer = yield self._form(self.parameters, {"refresh_token": self.tokens[connection]})
        self.tokens[connection] = json.loads(_with(answer, b'"access_token"').body)["refresh_token"]

    def userinfo(self, connection: int) -> Flow:
        """Ask who the person is."""
        token = self.tokens[connection % len(self.tokens)]
        headers = {"Authorization": f"Bearer {token}"}
        _with((yield request("GET", self.parameters["path"], self.host, headers)), b'"sub"')

    def introspection(self, connection: int) -> Flow:
        """Ask whether an access token is valid."""
        token = self.tokens[connection % len(self.tokens)]
        answer = yield self._form(self.parameters, {"token": token})
        if json.loads(_with(answer, b'"active"').body)["active"] is not True:
            raise Failed(shown(answer))

    def client_credentials(self, _connection: int) -> Flow:
        """Get a token for a machine."""
        _with((yield self._form(self.parameters, {})), b'"access_token"')

    def _form(self, given: dict[str, Any], fields: dict[str, str]) -> bytes:
        body = urlencode(given.get("fields", {}) | fields).encode()
        headers = {"Content-Type": FORM} | given.get("headers", {})
        return request("POST", given["path"], self.host, headers, body)

    def _to_wechat_and_back(self) -> Generator[bytes, Answer, str]:
        jar, path, arrival = CookieJar(), self.parameters["start"], self.parameters["arrival"]
        was_at_wechat = False
        for _ in range(MOST_REDIRECTS):
            answer = yield request("GET", path, self.host, jar.header(path))
            jar.keep(answer)
            location = answer.location or self._link(answer)
            if location.startswith(arrival):
                return _without_error(location)
            at_wechat = WECHATS_PAGE in location
            path = self._way_back(location) if at_wechat else _path(location)
            # A login page with an error leads to WeChat again.
            if at_wechat and was_at_wechat:
                break
            was_at_wechat = was_at_wechat or at_wechat
        raise Failed(f"It doesn't arrive; the last answer:\n{shown(answer)}")

    def _link(self, answer: Answer) -> str:
        pattern = self.parameters.get("link")
        found = re.search(pattern, answer.body.decode()) if pattern else None
        if answer.status != 200 or found is None:  # noqa: PLR2004 - a page
            raise Failed(shown(answer))
        return found[1]

    def _way_back(self, location: str) -> str:
        sent = parse_qs(urlsplit(location).query)
        code, state = self.people.code(), sent["state"][0]
        return f"{_path(sent['redirect_uri'][0])}?{urlencode({'code': code, 'state': state})}"

    def _keep(self, answer: Answer) -> None:
        if self.parameters.get("keeps"):
            tokens = json.loads(answer.body)
            names = ("access_token", "refresh_token")
            self.kept.append({name: tokens[name] for name in names if name in tokens})

    def flows(self, door: str) -> NewFlow:
        """Return what makes the flows of a door."""
        new_flow: NewFlow = getattr(self, {"tokens": "whole_way"}.get(door, door))
        return new_flow


DOORS = (
    "login",
    "website",
    "tokens",
    "refresh",
    "userinfo",
    "introspection",
    "client_credentials",
)


def shown(answer: Answer) -> str:
    """Return the beginning of an answer, for an error message."""
    return (answer.head + b"\n\n" + answer.body).decode(errors="replace")[:_SHOWN]


def _with(answer: Answer, word: bytes) -> Answer:
    if answer.status != 200 or word not in answer.body:  # noqa: PLR2004
        raise Failed(shown(answer))
    return answer


def _without_error(location: str) -> str:
    if "error" in parse_qs(urlsplit(location).query):
        raise Failed(location)
    return location


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

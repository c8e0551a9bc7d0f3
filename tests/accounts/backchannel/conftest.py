"""A person who is signed on in a browser, the applications entered from it, and who hears of it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from accounts.models import BrowserSession, Session, User
from applications.models import Application
from tests import builders
from tests.conftest import Tenant

_serial = itertools.count()


@dataclass
class Receiver:
    """An application's own server on loopback; ``answers`` are given in turn, then 200s."""

    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    heard: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    """(path, headers, form) of what was posted"""
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called within each request, on its thread."""
    url: str = ""

    @property
    def tokens(self) -> list[str]:
        """The logout tokens so far."""
        return [form["logout_token"][0] for _, _, form in self.heard]

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer so, once."""
        self.answers.append((status, headers or {}, body))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
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


@pytest.fixture
def alice(acme: Tenant) -> User:
    return builders.make_user(acme.pool, sub="usr_alice")


@pytest.fixture
def told(acme: Tenant, receiver: Receiver) -> Application:
    """Acme's shop asks to be told of logouts."""
    acme.application.backchannel_logout_uri = receiver.url
    acme.application.save()
    return acme.application


@pytest.fixture
def untold(acme: Tenant) -> Application:
    """Acme's other application doesn't."""
    return builders.make_application(acme.pool, client_id="acme-other")


@pytest.fixture
def browser(acme: Tenant) -> Callable[[User], BrowserSession]:
    """Sign a person on in one more browser."""

    def sign_on(user: User) -> BrowserSession:
        now = timezone.now()
        return BrowserSession.objects.create(
            pool=user.pool,
            user=user,
            identity_source=acme.source,
            way="website_qr",
            secret_hash=f"{next(_serial):032}".encode(),
            auth_time=now,
            expires_at=now + timedelta(days=1),
        )

    return sign_on


@pytest.fixture
def enter(acme: Tenant) -> Callable[..., Session]:
    """Let a person enter an application, from a browser or from none."""

    def begin(user: User, application: Application, **fields: Any) -> Session:
        return Session.objects.create(
            **{
                "pool": user.pool,
                "user": user,
                "application": application,
                "identity_source": acme.source,
                "way": "mini_program",
                "auth_time": timezone.now(),
            }
            | fields
        )

    return begin

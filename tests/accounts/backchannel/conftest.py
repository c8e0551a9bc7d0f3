"""A person who is signed on in a browser, the applications entered from it, and who hears of it."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import BrowserSession, Session, User
from applications.models import Application
from tests.support import builders
from tests.support.logout_receiver import Receiver, receiving
from tests.support.tenants import Tenant

_serial = itertools.count()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def raw_server() -> Iterator[Callable[..., str]]:
    """A server that says these bytes, whatever it is asked, and then waits for the line to end."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        done = threading.Event()

        def serve(*parts: bytes, pause: float = 0.0) -> str:
            def answer() -> None:
                with suppress(OSError):
                    while True:
                        line, _ = listening.accept()
                        threading.Thread(target=say, args=(line,), daemon=True).start()

            def say(line: socket.socket) -> None:
                with line, suppress(OSError):
                    line.recv(65536)
                    for part in parts:
                        line.sendall(part)
                        time.sleep(pause)
                    done.wait(5)

            threading.Thread(target=answer, daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/"

        yield serve
        done.set()
        # Closing alone wouldn't wake who accepts.
        listening.shutdown(socket.SHUT_RDWR)


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

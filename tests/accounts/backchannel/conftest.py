"""A person with a browser session, the applications entered from it, and logout notices."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import BrowserSession, Session, User
from applications.models import Application
from tests.support import builders
from tests.support.logout_receiver import Receiver, raw_serving, receiving
from tests.support.tenants import Tenant

_serial = itertools.count()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def raw_server() -> Iterator[Callable[..., str]]:
    with raw_serving() as serve:
        yield serve


@pytest.fixture
def alice(acme: Tenant) -> User:
    return builders.make_user(acme.pool, sub="usr_alice")


@pytest.fixture
def told(acme: Tenant, receiver: Receiver) -> Application:
    """Acme's shop has a back-channel logout URI."""
    acme.application.backchannel_logout_uri = receiver.url
    acme.application.save()
    return acme.application


@pytest.fixture
def untold(acme: Tenant) -> Application:
    """Acme's other application has none."""
    return builders.make_application(acme.pool, client_id="acme-other")


@pytest.fixture
def browser(acme: Tenant) -> Callable[[User], BrowserSession]:
    """Begin a browser session in another browser."""

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

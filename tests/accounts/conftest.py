"""Fixtures of the tests of logins: WeChat's side, tokens, caches."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any

import pytest
import responses
from django.core.cache import caches
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import Settings

from accounts.login.throttles import FullCounters
from accounts.models import Session
from accounts.refusals import AccountBindingRequired
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Sandbox, SandboxAnswer, SandboxRequest
from tests.accounts.peers import PHONE
from tests.support import builders
from tests.support.oidc import bearer, claims_of
from tests.support.tenants import Tenant
from tests.support.website import Site, make_site
from tests.support.wechat import Line, Weixin
from userpools.models import Operator


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    answer = Sandbox.handle

    def overheard(self: Sandbox, request: SandboxRequest) -> SandboxAnswer:
        for listener in line.listeners:
            listener()
        answered = answer(self, request)
        line.exchanges.append((request, answered))
        return answered

    monkeypatch.setattr(Sandbox, "handle", overheard)
    return line


@pytest.fixture
def live() -> Iterator[responses.RequestsMock]:
    """WeChat's own host, which answers only what a test registers."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def live_source(acme: Tenant) -> IdentitySource:
    """Acme's second source: live, offered by the same application."""
    source = builders.make_source(
        acme.pool,
        identifier="acme-live",
        app_id=builders.LIVE_APP_ID,
        mode=IdentitySource.Mode.LIVE,
    )
    builders.offer(acme.application, source, position=1)
    return source


@pytest.fixture
def weixin(acme: Tenant, live: responses.RequestsMock) -> Weixin:
    """The WeChat of the tests about identities; Acme offers one source of it."""
    acme.method.delete()
    weixin = Weixin(acme)
    weixin.answer_by(live)
    weixin.add_source()
    return weixin


@pytest.fixture
def database_cache(db: None, settings: Settings) -> Iterator[None]:
    """Django's database cache instead of the one in this process; the sandbox keeps its own."""
    in_process = settings.CACHES
    settings.CACHES = in_process | {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": settings.CACHE_TABLE,
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
    yield
    caches["default"].clear()
    settings.CACHES = in_process


@pytest.fixture
def absent_cache(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A shared cache that can't be reached, and of which nothing was read a moment ago."""
    monkeypatch.setattr("accounts.login.throttles.full_counters", FullCounters())
    in_process = settings.CACHES
    settings.CACHES = in_process | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"retry": None},
        }
    }
    yield
    settings.CACHES = in_process


@pytest.fixture
def site(acme: Tenant) -> Site:
    """Acme's website source, and the applications that people log in to with a browser."""
    return make_site(acme.pool)


@pytest.fixture
def operator(acme: Tenant) -> Operator:
    """Ada, who reviews conflicts."""
    return builders.make_operator("ada", acme.pool)


@pytest.fixture
def ticket(weixin: Weixin) -> Callable[..., str]:
    """The binding ticket of a new person at a source that asks."""
    sources = weixin.tenant.pool.identity_sources.filter(app_id=builders.LIVE_APP_ID)
    sources.update(association="ask")

    def make(openid: str = "o1", unionid: str | None = None, **fields: Any) -> str:
        with pytest.raises(AccountBindingRequired) as refused:
            weixin.enter(openid, unionid, **fields)
        word: str = refused.value.extra["binding_ticket"]
        return word

    return make


@pytest.fixture
def tokens(acme: Tenant, log_in: Callable[..., HttpResponse]) -> dict[str, Any]:
    """The response to Alice's login."""
    response = log_in("alice")
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture
def session(tokens: dict[str, Any]) -> Session:
    return Session.objects.select_related("user", "application", "pool").get(
        pk=claims_of(tokens["access_token"])["sid"]
    )


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str, int], None]:
    """Let this many threads wait for each other at a function, after all have read the same."""

    def at(owner: object, name: str, racers: int) -> None:
        arrived = Barrier(racers, timeout=30)
        work = getattr(owner, name)

        def after_all_arrived(*args: Any, **kwargs: Any) -> Any:
            arrived.wait()
            return work(*args, **kwargs)

        monkeypatch.setattr(owner, name, after_all_arrived)

    return at


@pytest.fixture
def plain_log(caplog):
    """Every logger at DEBUG, urllib3's too, read by a handler that redacts nothing.

    It comes first: the filter of the handler on stderr changes the records.
    """
    for name in [*logging.root.manager.loggerDict, "urllib3", "urllib3.connectionpool", None]:
        caplog.set_level(logging.DEBUG, logger=name)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging.root.handlers.insert(0, handler)
    yield written
    logging.root.removeHandler(handler)


@pytest.fixture
def post(client):
    """Send JSON to an endpoint of the REST API, with or without an access token."""

    def send(url, fields, token=None, method="post"):
        headers = bearer(token) if token else {}
        return getattr(client, method)(
            url, json.dumps(fields), content_type="application/json", headers=headers
        )

    return send


@pytest.fixture
def victim(acme):
    """A user whose data an attacker knows."""
    return builders.make_member(
        acme.pool,
        nickname="爱丽 Alice",
        phone_number=PHONE,
        phone_number_verified_at=timezone.now(),
    )

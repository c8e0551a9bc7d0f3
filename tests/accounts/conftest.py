"""What the tests of logins need besides the cast: WeChat's side of the line, and threads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import responses
from django.core.cache import caches
from pytest_django import Settings

from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Fault, Sandbox, SandboxAnswer, SandboxRequest
from tests import builders
from tests.conftest import Tenant

LIVE_URL = "https://api.weixin.qq.com"


@dataclass
class Line:
    """The line to the sandbox, overheard: what was asked, what was answered."""

    exchanges: list[tuple[SandboxRequest, SandboxAnswer]] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called within each call to WeChat, on its thread."""

    @property
    def calls(self) -> list[str]:
        """The names of the calls so far, in order."""
        return [request.path.rpartition("/")[2] for request, _ in self.exchanges]

    def script(self, fault: Fault, *, call: str = "jscode2session", times: int = 1) -> None:
        """Let a fault happen to the next calls."""
        sandbox().script(call, fault, times)


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
    """WeChat's own address, where only what a test registers is answered."""
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
def database_cache(db: None, settings: Settings) -> Iterator[None]:
    """Django's database cache in place of the one in process; the sandbox keeps its own."""
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
def absent_cache(settings: Settings) -> Iterator[None]:
    """A shared cache that nobody answers for."""
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

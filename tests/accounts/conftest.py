"""What the tests of logins need besides the cast: WeChat's side of the line, and threads."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import responses
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from requests import PreparedRequest

from accounts.login.rules import LoggedIn, LoginRequest, log_in
from accounts.refusals import AccountBindingRequired
from applications.client_authentication import ClientCredentials
from applications.rules import Way
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Fault, Sandbox, SandboxAnswer, SandboxRequest
from tests import builders
from tests.accounts.site import Site, make_site
from tests.conftest import Tenant
from userpools.models import Operator

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


@dataclass(repr=False)
class Weixin:
    """A WeChat of which a test says whom each code stands for, and an Acme with live sources.

    Errcodes are as the real one's: a code that isn't known is 40029, a phone code sent with the
    OpenID of somebody else 40003.
    """

    tenant: Tenant
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The calls that were made, each with the code that was sent."""
    phones_are_away: bool = False
    _people: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=itertools.count)

    def add_source(self, app_id: str = builders.LIVE_APP_ID, **fields: Any) -> IdentitySource:
        """Let the application offer one more mini program, named after the end of its AppID."""
        source = builders.make_source(
            self.tenant.pool,
            **{"identifier": f"live-{app_id[-4:]}", "app_id": app_id, "mode": "live"} | fields,
        )
        builders.offer(self.tenant.application, source, position=1)
        return source

    def code(self, openid: str, unionid: str | None = None) -> str:
        """What ``wx.login`` gives on the phone of whoever has this OpenID."""
        person = {"openid": openid} | ({"unionid": unionid} if unionid else {})
        name = f"code-{next(self._names)}"
        self._people[name] = person | {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY="}
        return name

    def phone_code(self, number: str, openid: str) -> str:
        """What the getPhoneNumber button gives on that phone: a Chinese number's eleven digits."""
        name = f"phone-code-{next(self._names)}"
        self._numbers[name] = (number, openid)
        return name

    def enter(
        self,
        openid: str,
        unionid: str | None = None,
        *,
        app_id: str = builders.LIVE_APP_ID,
        now: datetime | None = None,
        **fields: Any,
    ) -> LoggedIn:
        """Log in with a fresh code, as every door does; ``number`` brings that phone's number."""
        number = fields.pop("number", None)
        phone_code = self.phone_code(number, openid) if number else None
        usual = {
            "door": "rest",
            "way": Way.MINI_PROGRAM,
            "client": ClientCredentials(self.tenant.application.client_id),
            "identity_source": f"live-{app_id[-4:]}",
            "code": self.code(openid, unionid),
            "phone_code": phone_code,
        }
        return log_in(LoginRequest(**usual | fields), now=now or timezone.now())

    def answer_by(self, mock: responses.RequestsMock) -> None:
        """Answer what is asked of the mocked network."""
        token = {"access_token": "77_a-live-access-token", "expires_in": 7200}
        mock.add_callback("GET", f"{LIVE_URL}/sns/jscode2session", self._session)
        mock.add("POST", f"{LIVE_URL}/cgi-bin/stable_token", json=token)
        mock.add_callback("POST", f"{LIVE_URL}/wxa/business/getuserphonenumber", self._number)

    def _session(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        code = request.params["js_code"]
        self.asked.append(("jscode2session", code))
        return 200, {}, json.dumps(self._people.get(code, {"errcode": 40029, "errmsg": "invalid"}))

    def _number(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent = json.loads(request.body or b"")
        self.asked.append(("getuserphonenumber", sent["code"]))
        if self.phones_are_away:
            return 502, {}, ""
        if sent["code"] not in self._numbers:
            return 200, {}, json.dumps({"errcode": 40029, "errmsg": "invalid code"})
        number, openid = self._numbers[sent["code"]]
        if openid != sent["openid"]:
            return 200, {}, json.dumps({"errcode": 40003, "errmsg": "invalid openid"})
        watermark = {"timestamp": 1_700_000_000, "appid": builders.LIVE_APP_ID}
        phone = {"phoneNumber": number, "purePhoneNumber": number, "countryCode": "86"}
        return 200, {}, json.dumps({"phone_info": phone | {"watermark": watermark}})


@pytest.fixture
def weixin(acme: Tenant, live: responses.RequestsMock) -> Weixin:
    """The WeChat of the tests about who somebody is; Acme offers one source of it."""
    acme.method.delete()
    weixin = Weixin(acme)
    weixin.answer_by(live)
    weixin.add_source()
    return weixin


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
    """The binding ticket that somebody gets whom nobody knows; their source asks."""
    sources = weixin.tenant.pool.identity_sources.filter(app_id=builders.LIVE_APP_ID)
    sources.update(association="ask")

    def make(openid: str = "o1", unionid: str | None = None, **fields: Any) -> str:
        with pytest.raises(AccountBindingRequired) as refused:
            weixin.enter(openid, unionid, **fields)
        word: str = refused.value.extra["binding_ticket"]
        return word

    return make

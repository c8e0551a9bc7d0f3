"""WeChat's side of a login: a recorded sandbox, and a live WeChat with a test's codes."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import responses
from django.utils import timezone
from requests import PreparedRequest

from accounts.login.rules import LoggedIn, LoginRequest, log_in
from applications.client_authentication import ClientCredentials
from applications.rules import Way
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Fault, SandboxAnswer, SandboxRequest
from tests.support import builders
from tests.support.tenants import Tenant

LIVE_URL = "https://api.weixin.qq.com"


@dataclass
class Line:
    """The recorded calls to the sandbox: requests and answers."""

    exchanges: list[tuple[SandboxRequest, SandboxAnswer]] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    """Called within each call to WeChat, on its thread."""

    @property
    def calls(self) -> list[str]:
        """The names of the calls so far, in order."""
        return [request.path.rpartition("/")[2] for request, _ in self.exchanges]

    def script(self, fault: Fault, *, call: str = "jscode2session", times: int = 1) -> None:
        """Script a fault for the next calls."""
        sandbox().script(call, fault, times)


@dataclass(repr=False)
class Weixin:
    """A WeChat with codes that a test defines, and an Acme with live sources.

    Errcodes are WeChat's: an unknown code is 40029, a phone code with another person's OpenID is
    40003.
    """

    tenant: Tenant
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The calls, each with its code."""
    phones_are_away: bool = False
    _people: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=itertools.count)

    def add_source(self, app_id: str = builders.LIVE_APP_ID, **fields: Any) -> IdentitySource:
        """Add a mini program to the application's login methods, named after its AppID's end."""
        source = builders.make_source(
            self.tenant.pool,
            **{"identifier": f"live-{app_id[-4:]}", "app_id": app_id, "mode": "live"} | fields,
        )
        builders.offer(self.tenant.application, source, position=1)
        return source

    def code(self, openid: str, unionid: str | None = None) -> str:
        """Return the code of ``wx.login`` for the person with this OpenID."""
        person = {"openid": openid} | ({"unionid": unionid} if unionid else {})
        name = f"code-{next(self._names)}"
        self._people[name] = person | {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY="}
        return name

    def phone_code(self, number: str, openid: str) -> str:
        """Return the button's code on that phone, for a Chinese number of eleven digits."""
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
        """Log in with a new code, as every endpoint does; ``number`` adds a phone number."""
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
        """Answer a request to the mocked network."""
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

import json
import threading
from urllib.parse import urlencode

import pytest

from identity_sources.sandbox import MemoryStore, Sandbox, SandboxRequest, sandbox_app_secret

SHOP = "wxsandbox000000001"


class SettableClock:
    """A clock that moves only when it is set."""

    def __init__(self, now: float):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds: float):
        self.now += seconds


class Server:
    """The requests of a mini program's server; answers are decoded JSON."""

    def __init__(self, sandbox: Sandbox):
        self.sandbox = sandbox

    def get(self, path, **query):
        answer = self.sandbox.handle(
            SandboxRequest.from_target("GET", f"{path}?{urlencode(query)}")
        )
        assert answer.status == 200
        return json.loads(answer.body)

    def post(self, path, data, **query):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        answer = self.sandbox.handle(
            SandboxRequest.from_target("POST", f"{path}?{urlencode(query)}", body)
        )
        assert answer.status == 200
        return json.loads(answer.body)

    def jscode2session(self, js_code, /, app_id=SHOP, **changes):
        query = {
            "appid": app_id,
            "secret": sandbox_app_secret(app_id),
            "js_code": js_code,
            "grant_type": "authorization_code",
        }
        return self.get("/sns/jscode2session", **_changed(query, changes))

    def oauth2_access_token(self, code, /, app_id=SHOP, **changes):
        query = {
            "appid": app_id,
            "secret": sandbox_app_secret(app_id),
            "code": code,
            "grant_type": "authorization_code",
        }
        return self.get("/sns/oauth2/access_token", **_changed(query, changes))

    def token(self, app_id=SHOP, **changes):
        query = {
            "appid": app_id,
            "secret": sandbox_app_secret(app_id),
            "grant_type": "client_credential",
        }
        return self.get("/cgi-bin/token", **_changed(query, changes))

    def stable_token(self, app_id=SHOP, **changes):
        data = {
            "grant_type": "client_credential",
            "appid": app_id,
            "secret": sandbox_app_secret(app_id),
        }
        return self.post("/cgi-bin/stable_token", _changed(data, changes))

    def getuserphonenumber(self, code, access_token=None, **data):
        if access_token is None:
            access_token = self.stable_token()["access_token"]
        return self.post(
            "/wxa/business/getuserphonenumber", {"code": code} | data, access_token=access_token
        )


def _changed(fields, changes):
    return {name: value for name, value in (fields | changes).items() if value is not None}


class RacingStore(MemoryStore):
    """Keeps the threads of a race in step: each waits for the others after its first `gets` reads.

    It detects code that reads before it writes, since all threads have read the same.
    """

    def __init__(self, clock, racers: int, gets: int):
        super().__init__(clock)
        self._barrier = threading.Barrier(racers, timeout=5)
        self._gets = gets
        self._done = threading.local()

    def get(self, key):
        value = super().get(key)
        done = getattr(self._done, "gets", 0)
        if done < self._gets and threading.current_thread() is not threading.main_thread():
            self._done.gets = done + 1
            self._barrier.wait()
        return value


@pytest.fixture
def racing_store(clock):
    return lambda racers, gets: RacingStore(clock, racers, gets)


@pytest.fixture
def clock():
    return SettableClock(1_700_000_000.0)


@pytest.fixture
def store(clock):
    return MemoryStore(clock)


@pytest.fixture
def sandbox(store, clock):
    return Sandbox(store, clock)


@pytest.fixture
def server(sandbox):
    return Server(sandbox)


@pytest.fixture
def shop():
    return SHOP


@pytest.fixture
def other_shop():
    return "wxsandbox000000002"


@pytest.fixture
def unbound_shop():
    return "wxsandboxf00000001"

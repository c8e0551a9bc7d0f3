"""After logins, refusals and failures of every kind: no secret in any table, log line or answer.

And nothing personal in any login event.
"""

import io
import json
import logging
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CodeExchange, LoginEvent, User
from config.kernel.logs import RedactedJsonFormatter
from identity_sources.sandbox import (
    Fault,
    FaultKind,
    openid_of,
    sandbox_app_secret,
    unionid_of,
)
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.client import LOGIN_URL
from tests.support.secret_scanner import Scanner, dump

pytestmark = pytest.mark.rsa

WRONG_SECRET = "a wrong client secret of more than 32 characters"
LIVE_SESSION_KEY = "bGl2ZSBzZXNzaW9uIGtleQ=="
LIVE_OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
LIVE_ACCESS_TOKEN = "77_a-live-access-token-of-wechat"
LIVE_PHONE = {
    "phoneNumber": "13800138009",
    "purePhoneNumber": "13800138009",
    "countryCode": "86",
    "watermark": {"timestamp": 1_700_000_000, "appid": builders.LIVE_APP_ID},
}
SHORTEST_SECRET = 8


def leaks_in_database(scanner):
    return [
        (table, column, scanner.found_in(cell))
        for table, column, cell in dump()
        if scanner.found_in(cell)
    ]


@pytest.fixture
def production_log():
    """What the process writes to stderr: the handler of config/settings.py, redirected."""
    handler = next(
        handler
        for handler in logging.root.handlers
        if isinstance(handler.formatter, RedactedJsonFormatter)
    )
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


class LiveWeChat(BaseHTTPRequestHandler):
    """WeChat over a real socket, so that the HTTP library logs what it logs in production."""

    def do_GET(self):
        code = parse_qs(urlsplit(self.path).query)["js_code"][0]
        session = {"session_key": LIVE_SESSION_KEY, "openid": LIVE_OPENID}
        if code.startswith("refused"):
            # WeChat's texts are free: this one repeats what it was sent.
            text = f"invalid {builders.LIVE_APP_SECRET} of {LIVE_OPENID} for {code} in {self.path}"
            return self._answer(session | {"errcode": 40125, "errmsg": text})
        if code.startswith("broken"):
            return self._send(200, json.dumps(session).encode()[:-5])
        if code.startswith("failing"):
            return self._send(502, json.dumps(session).encode())
        return self._answer(session)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if "stable_token" in self.path:
            return self._answer({"access_token": LIVE_ACCESS_TOKEN, "expires_in": 7200})
        return self._answer({"errcode": 0, "errmsg": "ok", "phone_info": LIVE_PHONE})

    def _answer(self, payload):
        self._send(200, json.dumps(payload).encode())

    def _send(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing: these lines would be ours, not the product's."""


@pytest.fixture
def live_wechat(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), LiveWeChat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.WECHAT_API_URL = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def confidential(acme):
    application = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(application, acme.source)
    return application


class Run:
    """A mixed run of requests; remembers every secret that came by, and every answer."""

    def __init__(self, client):
        self._client = client
        self.secrets = {
            builders.CLIENT_SECRET,
            WRONG_SECRET,
            builders.LIVE_APP_SECRET,
            sandbox_app_secret(builders.MINI_APP_ID),
            LIVE_SESSION_KEY,
            LIVE_ACCESS_TOKEN,
        }
        self.issued = set()
        """Tokens of ours: they belong into answers, and nowhere else."""
        self.answers = []

    def log_in(self, person="alice", *, query="", **fields):
        body = {
            "client_id": "acme-shop",
            "identity_source": "acme-mini",
            "code": builders.wx_login(person),
        } | fields
        self.secrets |= {body[name] for name in ("code", "phone_code") if name in body}
        return self._note(
            self._client.post(LOGIN_URL + query, body, content_type="application/json")
        )

    def refresh(self, token, client_id="acme-shop"):
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        return self._note(
            self._client.post(
                "/oidc/acme/token",
                urlencode(form),
                content_type="application/x-www-form-urlencoded",
            )
        )

    def _note(self, response):
        body = response.json()
        self.answers.append(response)
        self.issued |= {
            body[name] for name in ("access_token", "refresh_token", "id_token") if name in body
        }
        return body

    def overhear(self, exchanges):
        """Learn the session keys and access tokens from what WeChat answered."""
        for _, answer in exchanges:
            text = answer.body.decode(errors="replace").replace("\\/", "/")
            found = re.findall(r'"(?:session_key|access_token)":"([^"]+)', text)
            self.secrets |= {secret for secret in found if len(secret) >= SHORTEST_SECRET}


def make_mixed_run(run, wechat):
    """Log in, refresh, replay, be refused and fail, in as many ways as there are."""
    first = run.log_in(phone_code=builders.get_phone_number())
    code = builders.wx_login()
    run.log_in(code=code)
    run.log_in(code=code)
    run.log_in("bob", client_id="acme-safe", client_secret=builders.CLIENT_SECRET)

    renewed = run.refresh(first["refresh_token"])
    run.refresh(renewed["refresh_token"])
    run.refresh(first["refresh_token"])
    run.refresh("a-refresh-token-that-was-never-issued")

    run.log_in(client_id="acme-safe", client_secret=WRONG_SECRET)
    run.log_in(client_id="nobody", client_secret=WRONG_SECRET)
    run.log_in("mallory")
    run.log_in(code="a-code-that-was-never-issued")
    run.log_in(code="a code of the wrong shape")
    run.log_in(scope="nonsense")
    run.log_in(query=f"?code={code}&client_secret={quote(WRONG_SECRET)}", scope="nonsense")
    run.log_in(unknown_field="x", client_secret=WRONG_SECRET)
    for fault in (
        wechat_refuses(-1),
        wechat_refuses(40125),
        wechat_refuses(41008),
        Fault(FaultKind.CONNECTION_REFUSED),
        Fault(FaultKind.CONNECTION_DROPPED),
        Fault(FaultKind.READ_TIMEOUT),
        Fault(FaultKind.HTML_PAGE),
        Fault(FaultKind.TRUNCATED_JSON),
        Fault(FaultKind.INVALID_UTF8),
        Fault(FaultKind.UNKNOWN_FIELDS),
    ):
        wechat.script(fault, times=2)
        run.log_in()
        run.log_in()
    wechat.script(wechat_refuses(40001), call="getuserphonenumber")
    run.log_in("bob", phone_code=builders.get_phone_number("bob"))
    wechat.script(Fault(FaultKind.TRUNCATED_JSON), call="getuserphonenumber")
    run.log_in("carol", phone_code=builders.get_phone_number("carol"))
    run.overhear(wechat.exchanges)


def make_live_run(run, settings):
    """The same over sockets, and with nobody listening; then with the database away."""
    for number, code in enumerate(("good-live-code", "refused-live-code", "broken-live-code")):
        run.log_in(identity_source="acme-live", code=code, phone_code=f"a-live-phone-code-{number}")
    run.log_in(identity_source="acme-live", code="failing-live-code")
    settings.WECHAT_API_URL = "http://127.0.0.1:1"
    run.log_in(identity_source="acme-live", code="unheard-live-code")
    with connection.execute_wrapper(raise_with_parameters):
        run.log_in(code="a-code-while-the-database-is-away")


def raise_with_parameters(_execute, sql, params, *_):
    """Fail as a database driver may: with the statement and its values in the text."""
    raise OperationalError(f"{sql} {params}")


@pytest.fixture
def run(acme, confidential, live_source, live_wechat, settings, client, wechat):
    """Allow more refusals than the run makes."""
    settings.THROTTLE_LOGIN_PER_ADDRESS = settings.THROTTLE_LOGIN_PER_APPLICATION = ""
    return Run(client)


@pytest.fixture
def after_everything(transactional_db, run, wechat, settings, plain_log, production_log):
    """Make the whole run, with every statement logged, too."""
    with CaptureQueriesContext(connection):
        make_mixed_run(run, wechat)
        make_live_run(run, settings)
    return run


def test_the_run_met_everything_it_is_about(after_everything, wechat):
    statuses = {answer.status_code for answer in after_everything.answers}

    assert statuses == {200, 400, 401, 403, 500, 502, 503}
    assert len(after_everything.secrets) > 50
    assert len(after_everything.issued) > 20
    assert {LIVE_SESSION_KEY, LIVE_ACCESS_TOKEN} < after_everything.secrets
    assert User.objects.filter(phone_number="+8613800138009").exists()


def test_no_table_holds_a_secret(after_everything):
    scanner = Scanner(after_everything.secrets | after_everything.issued)

    assert leaks_in_database(scanner) == []


def personal_values():
    """Return what WeChat told of the people in the run."""
    ids = {
        identify(builders.MINI_APP_ID, person)
        for identify in (openid_of, unionid_of)
        for person in ("alice", "bob", "carol", "mallory")
    }
    numbers = set(User.objects.exclude(phone_number="").values_list("phone_number", flat=True))
    assert len(numbers) > 1
    return ids | {LIVE_OPENID} | {number.removeprefix("+86") for number in numbers}


def test_no_login_event_holds_anything_personal(after_everything):
    scanner = Scanner(personal_values())

    leaks = [
        (column, scanner.found_in(cell))
        for table, column, cell in dump()
        if table == "accounts_loginevent" and scanner.found_in(cell)
    ]

    assert leaks == []


def test_the_events_of_the_run_have_traces_of_every_kind(after_everything):
    traces = list(LoginEvent.objects.values_list("steps", flat=True))

    assert {step["step"] for trace in traces for step in trace} == {
        *("checked", "asked", "replayed", "identity", "matched", "phone", "issued", "refused")
    }
    calls = [step for trace in traces for step in trace if step["step"] == "asked"]
    assert {step["call"] for step in calls} == {
        *("jscode2session", "stable_token", "getuserphonenumber")
    }
    assert any("***" in step.get("errmsg", "") for step in calls)


def test_no_log_line_holds_a_secret(after_everything, production_log):
    scanner = Scanner(after_everything.secrets | after_everything.issued)

    assert scanner.found_in(production_log.getvalue()) == set()


def test_not_even_a_log_handler_that_redacts_nothing_sees_one(after_everything, plain_log):
    """The filters on urllib3's own loggers suffice for what the HTTP library writes."""
    scanner = Scanner(after_everything.secrets | after_everything.issued)

    assert scanner.found_in(plain_log.getvalue()) == set()
    # Each of them did speak.
    assert "/sns/jscode2session?appid=" in plain_log.getvalue()
    assert 'INSERT INTO "accounts_refreshtoken"' in plain_log.getvalue()
    assert "OperationalError" in plain_log.getvalue()


def test_no_answer_holds_a_secret_of_wechats_or_of_the_operators(after_everything):
    scanner = Scanner(after_everything.secrets)

    leaks = [scanner.found_in(answer.content) for answer in after_everything.answers]

    assert set().union(*leaks) == set()


# These tests can fail


SECRET = "a secret that was planted"


def test_a_planted_secret_is_found_in_the_database(db, acme):
    builders.make_user(acme.pool, nickname=f"<{SECRET}>")
    CodeExchange.objects.create(
        key=SECRET.encode().hex()[:64],
        expires_at=acme.pool.created_at,
        answer_ciphertext=b"\x00\xff" + SECRET.encode() + b"\x00",
    )
    LoginEvent.objects.create(
        pool=acme.pool,
        application=acme.application,
        occurred_at=acme.pool.created_at,
        steps=[{"step": "asked", "answer": {"openid": f"<{SECRET}>"}}],
    )
    acme.application.applied = {"client_secret": SECRET}
    acme.application.save()

    found = leaks_in_database(Scanner({SECRET}))

    assert {(table, column) for table, column, _ in found} == {
        ("accounts_user", "nickname"),
        ("accounts_loginevent", "steps"),
        ("accounts_codeexchange", "key"),
        ("accounts_codeexchange", "answer_ciphertext"),
        ("applications_application", "applied"),
    }


def test_every_table_of_the_project_is_searched(transactional_db, acme, log_in):
    log_in(phone_code=builders.get_phone_number())

    assert {table for table, _, _ in dump()} >= {
        "accounts_codeexchange",
        "accounts_linkedaccount",
        "accounts_loginevent",
        "accounts_refreshtoken",
        "accounts_session",
        "accounts_user",
        "applications_application",
        "applications_loginmethod",
        "identity_sources_identitysource",
        "identity_sources_wechataccesstoken",
        "userpools_signingkey",
        "userpools_userpool",
    }


def test_a_planted_secret_is_found_in_the_log(plain_log, production_log):
    logging.getLogger("accounts.login.rules").debug("the code was %s", SECRET)

    scanner = Scanner({SECRET})
    assert scanner.found_in(plain_log.getvalue()) == {SECRET}
    assert scanner.found_in(production_log.getvalue()) == {SECRET}


def test_the_session_keys_are_really_learned(acme, log_in, wechat, client):
    log_in()
    run = Run(client)
    known = set(run.secrets)

    run.overhear(wechat.exchanges)

    (session_key,) = run.secrets - known
    assert len(session_key) == 24

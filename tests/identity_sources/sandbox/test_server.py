"""The WSGI application and its server, over a real loopback socket."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from identity_sources.sandbox import (
    Fault,
    FaultKind,
    MemoryStore,
    Sandbox,
    openid_of,
    sandbox_app_secret,
)
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.server import SandboxServer, is_loopback
from identity_sources.sandbox.wsgi import HANG_SECONDS, SandboxApplication

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def sandbox():
    # Threads of the server and of the test share it: time is real here.
    return Sandbox(MemoryStore())


@pytest.fixture
def slept():
    return []


@pytest.fixture
def port(sandbox, slept):
    application = SandboxApplication(sandbox, sleep=slept.append)
    with SandboxServer("127.0.0.1", 0, application) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def connection(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    yield connection
    connection.close()


def exchange_target(app_id, js_code):
    query = {
        "appid": app_id,
        "secret": sandbox_app_secret(app_id),
        "js_code": js_code,
        "grant_type": "authorization_code",
    }
    return f"/sns/jscode2session?{urlencode(query)}"


def ask(connection, method, target, body=None, headers=None):
    connection.request(method, target, body=body, headers=headers or {})
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104
def test_a_host_that_others_can_reach_is_refused_in_a_sentence(sandbox, host):
    assert not is_loopback(host)
    with pytest.raises(ValueError, match=r"The WeChat sandbox serves loopback only, and .*\."):
        SandboxServer(host, 0, SandboxApplication(sandbox))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_served(host):
    assert is_loopback(host)


def test_a_body_of_unknown_or_excessive_length_is_refused(port):
    for headers in (
        {"Content-Length": "9" * 5000},
        {"Content-Length": "99999999"},
        {"Content-Length": "-1"},
        {"Transfer-Encoding": "chunked"},
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        response, _ = ask(connection, "POST", "/cgi-bin/stable_token", headers=headers)
        assert (response.status, response.headers["Connection"]) == (400, "close")
        connection.close()


def test_a_dropped_connection_closes_without_an_answer(sandbox, connection, shop):
    sandbox.script("jscode2session", Fault(FaultKind.CONNECTION_DROPPED))
    target = exchange_target(shop, sandbox.wx_login(shop, "alice"))

    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection, "GET", target)
    _, body = ask(connection, "GET", target)

    assert json.loads(body)["errcode"] == 40163


def test_a_read_timeout_hangs_and_then_closes(sandbox, connection, shop, slept):
    sandbox.script("jscode2session", Fault(FaultKind.READ_TIMEOUT))

    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection, "GET", exchange_target(shop, sandbox.wx_login(shop, "alice")))

    assert slept == [HANG_SECONDS]


def test_an_ill_spelt_fault_is_a_clear_400(connection):
    response, body = ask(connection, "POST", "/sandbox/faults", b'{"call":"token","kind":"quake"}')

    assert response.status == 400
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(body)["field"] == "kind"


def test_messages_survive_what_the_caller_sent(connection):
    ill = b'{"call":"token","kind":"html_page","\\ud800":1}'

    response, body = ask(connection, "POST", "/sandbox/faults", ill)

    assert response.status == 400
    assert json.loads(body)["message"] == "? is not a field of a fault."


def test_a_login_takes_two_calls_over_one_connection(connection, shop):
    _, body = ask(connection, "POST", f"/sandbox/wx.login?app_id={shop}&person=alice")
    kept_socket = connection.sock
    response, answer = ask(connection, "GET", exchange_target(shop, json.loads(body)["code"]))

    assert connection.sock is kept_socket is not None
    assert response.version == 11
    assert response.headers["Content-Type"] == "text/plain"
    assert json.loads(answer)["openid"] == openid_of(shop, "alice")


def test_a_body_that_the_call_ignores_does_not_spoil_the_connection(connection):
    ask(connection, "POST", "/nothing", b"GET /sandbox/people HTTP/1.1\r\n\r\n")
    response, body = ask(connection, "GET", "/sandbox/people")

    assert response.status == 200
    assert "🌸" in json.loads(body)["people"][2]["nickname"]


def test_faults_shape_status_and_time(sandbox, connection, slept):
    sandbox.script("token", http_status(302))
    sandbox.script("token", http_status(599))
    sandbox.script("token", latency(3))

    statuses = [ask(connection, "GET", "/cgi-bin/token")[0].status for _ in range(3)]

    assert statuses == [302, 599, 200]
    assert slept == [3]


def test_of_many_concurrent_exchanges_one_wins(sandbox, port, shop):
    target = exchange_target(shop, sandbox.wx_login(shop, "alice"))

    def exchange(_):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        body = ask(connection, "GET", target)[1]
        connection.close()
        return json.loads(body).get("errcode")

    with ThreadPoolExecutor(16) as threads:
        errcodes = list(threads.map(exchange, range(50)))

    assert errcodes.count(None) == 1
    assert errcodes.count(40163) == 49

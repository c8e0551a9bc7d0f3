import pytest
import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from identity_sources.sandbox import Fault, FaultKind, openid_of, sandbox_app_secret
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.transport import SandboxAdapter

API = "https://api.weixin.qq.com"


@pytest.fixture
def slept():
    return []


@pytest.fixture
def session(sandbox, slept):
    with requests.Session() as session:
        session.mount(f"{API}/", SandboxAdapter(sandbox, sleep=slept.append))
        yield session


@pytest.fixture
def exchange(session, shop):
    def exchange(js_code, **options):
        query = {
            "appid": shop,
            "secret": sandbox_app_secret(shop),
            "js_code": js_code,
            "grant_type": "authorization_code",
        }
        return session.get(f"{API}/sns/jscode2session", params=query, **options)

    return exchange


def test_a_refused_connection_raises_what_a_real_one_raises(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.CONNECTION_REFUSED))
    js_code = sandbox.wx_login(shop, "alice")

    with pytest.raises(requests.ConnectionError) as failed:
        exchange(js_code)

    assert type(failed.value) is requests.ConnectionError
    assert isinstance(failed.value.args[0], MaxRetryError)
    assert isinstance(failed.value.args[0].reason, NewConnectionError)
    assert exchange(js_code).json()["openid"] == openid_of(shop, "alice")


def test_a_connect_timeout_is_one(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.CONNECT_TIMEOUT))

    with pytest.raises(requests.ConnectTimeout) as failed:
        exchange(sandbox.wx_login(shop, "alice"))

    assert type(failed.value.args[0].reason) is ConnectTimeoutError


def test_a_dropped_connection_leaves_the_code_used(sandbox, exchange, shop):
    sandbox.script("jscode2session", Fault(FaultKind.CONNECTION_DROPPED))
    js_code = sandbox.wx_login(shop, "alice")

    with pytest.raises(requests.ConnectionError) as failed:
        exchange(js_code)

    assert isinstance(failed.value.args[0], ProtocolError)
    assert exchange(js_code).json()["errcode"] == 40163


def test_a_read_timeout_leaves_the_code_used(sandbox, exchange, shop, slept):
    sandbox.script("jscode2session", Fault(FaultKind.READ_TIMEOUT))
    js_code = sandbox.wx_login(shop, "alice")

    with pytest.raises(requests.ReadTimeout) as failed:
        exchange(js_code, timeout=5)

    assert isinstance(failed.value.args[0], ReadTimeoutError)
    assert slept == []
    assert exchange(js_code).json()["errcode"] == 40163


@pytest.mark.parametrize("timeout", [5, (3, 5), (None, 5)])
def test_an_answer_later_than_the_read_timeout_never_comes(sandbox, exchange, shop, slept, timeout):
    sandbox.script("jscode2session", latency(5))

    with pytest.raises(requests.ReadTimeout):
        exchange(sandbox.wx_login(shop, "alice"), timeout=timeout)

    assert slept == [5]


@pytest.mark.parametrize("timeout", [None, 5, (0.1, 5), (0.1, None)])
def test_an_answer_within_the_read_timeout_comes_late(sandbox, exchange, shop, slept, timeout):
    sandbox.script("jscode2session", latency(4.5))

    response = exchange(sandbox.wx_login(shop, "alice"), timeout=timeout)

    assert response.json()["openid"] == openid_of(shop, "alice")
    assert slept == [4.5]


def test_a_redirect_is_left_to_the_session(sandbox, exchange, shop):
    sandbox.script("jscode2session", http_status(302))

    response = exchange(sandbox.wx_login(shop, "alice"), allow_redirects=False)

    assert response.status_code == 302
    assert response.is_redirect
    assert response.headers["location"] == "https://portal.invalid/"


def test_text_plain_without_a_charset_makes_requests_guess_wrongly(sandbox, exchange, shop):
    response = exchange(sandbox.wx_login(shop, "alice"))

    assert response.status_code == 200
    assert response.reason == "OK"
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["content-length"] == str(len(response.content))
    assert response.encoding == "ISO-8859-1"
    assert response.request.url == response.url


def test_a_streamed_body_is_read_in_pieces(sandbox, exchange, shop):
    with exchange(sandbox.wx_login(shop, "alice"), stream=True) as response:
        pieces = list(response.iter_content(10))

    assert max(map(len, pieces)) == 10
    assert b"".join(pieces).startswith(b'{"session_key":')


def test_a_streamed_body_can_be_read_raw(sandbox, exchange, shop):
    with exchange(sandbox.wx_login(shop, "alice"), stream=True) as response:
        assert response.raw.read(15, decode_content=True) == b'{"session_key":'


def test_json_bodies_reach_the_sandbox(session, sandbox, shop):
    credentials = {
        "grant_type": "client_credential",
        "appid": shop,
        "secret": sandbox_app_secret(shop),
    }
    token = session.post(f"{API}/cgi-bin/stable_token", json=credentials).json()["access_token"]

    response = session.post(
        f"{API}/wxa/business/getuserphonenumber",
        params={"access_token": token},
        json={"code": sandbox.get_phone_number(shop, "bob")},
    )

    assert response.json()["phone_info"]["purePhoneNumber"] == "13800138002"
    assert response.headers["content-type"] == "application/json; encoding=utf-8"


@pytest.mark.parametrize("body", ["{}", b"{}", iter([b"{", b"}"])], ids=["text", "bytes", "parts"])
def test_bodies_of_any_kind_are_read(session, body):
    response = session.post(f"{API}/cgi-bin/stable_token", data=body)

    assert response.json()["errcode"] == 41002

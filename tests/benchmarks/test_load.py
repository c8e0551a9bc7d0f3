"""The load generator: its arithmetic, and what it does with answers."""

import pytest

from benchmarks.http1 import Answer
from benchmarks.load import percentile
from benchmarks.programs import OURS
from benchmarks.scenarios import DOORS, Failed, People, Scenario

pytestmark = pytest.mark.once

HUNDRED = [float(number) for number in range(1, 101)]
WECHATS = (
    "https://open.weixin.qq.com/connect/qrconnect?appid=wx02"
    "&redirect_uri=http%3A%2F%2Fh%2Fback&state=abc#wechat_redirect"
)
PARAMETERS = {"start": "/start", "arrival": "http://app/", "link": 'href="(/wechat[^"]*)"'}


@pytest.mark.parametrize(
    ("values", "share", "value"),
    [
        (HUNDRED, 0.5, 50),
        (HUNDRED, 0.99, 99),
        (HUNDRED, 1.0, 100),
        ([7.0], 0.01, 7),
        ([1.0, 2.0], 0.5, 1),
        ([1.0, 2.0], 0.51, 2),
        ([], 0.5, 0),
    ],
)
def test_percentiles_are_values_that_occurred(values, share, value):
    assert percentile(values, share) == value


def test_a_population_logs_in_by_turns_with_new_codes():
    people = People(2)
    codes = [people.code() for _ in range(4)]

    assert [code.partition("-")[0] for code in codes] == ["p0", "p1", "p0", "p1"]
    assert len(set(codes)) == 4


def test_new_people_are_new_in_each_run():
    assert People(0).code().partition("-")[0] != People(0).code().partition("-")[0]


def redirect(location: str, cookie: str = "") -> Answer:
    kept = f"\r\nSet-Cookie: {cookie}; Path=/" if cookie else ""
    return Answer(302, f"HTTP/1.1 302 Found\r\nLocation: {location}{kept}".encode(), b"")


def test_a_browser_goes_to_wechat_and_back_with_its_cookies():
    flow = Scenario("h", PARAMETERS).flows("website")(0)

    assert next(flow).startswith(b"GET /start HTTP/1.1")
    assert b"GET /login " in flow.send(redirect("/login", "browser=1"))
    page = Answer(200, b"HTTP/1.1 200 OK", b'<a href="/wechat/1">WeChat</a>')
    assert b"GET /wechat/1 HTTP/1.1\r\nHost: h\r\nCookie: browser=1\r\n" in flow.send(page)
    back = flow.send(redirect(WECHATS))
    assert back.startswith(b"GET /back?code=p")
    assert b"&state=abc HTTP/1.1" in back
    with pytest.raises(StopIteration):
        flow.send(redirect("http://app/?code=c"))


@pytest.mark.parametrize("answer", [redirect(WECHATS), redirect("http://app/?error=access_denied")])
def test_a_login_that_has_to_be_repeated_has_failed(answer):
    flow = Scenario("h", PARAMETERS).flows("website")(0)
    next(flow)
    flow.send(redirect(WECHATS))

    with pytest.raises(Failed):
        flow.send(answer)


def test_a_refusal_is_shown():
    flow = Scenario("h", OURS["login"]).flows("login")(0)
    next(flow)

    with pytest.raises(Failed, match="no such code"):
        flow.send(Answer(400, b"HTTP/1.1 400 Bad Request", b"no such code"))


def test_each_connection_has_its_chain_of_refresh_tokens():
    scenario = Scenario("h", OURS["refresh"] | {"tokens": ["a", "b"]})
    flow = scenario.flows("refresh")(1)

    assert b"refresh_token=b" in next(flow)
    body = b'{"access_token": "x", "refresh_token": "c"}'
    with pytest.raises(StopIteration):
        flow.send(Answer(200, b"HTTP/1.1 200 OK", body))
    assert scenario.tokens == ["a", "c"]


def test_this_server_has_every_door():
    assert set(OURS) == set(DOORS)
    assert all(Scenario("h", {}).flows(door) for door in DOORS)

"""What goes over the wire to an application, and what counts as taken."""

import logging
import socket
import time

import pytest
from urllib3 import HTTPResponse

from accounts.backchannel.delivery import deliver

TOKEN = "a.logout.token"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("accounts.backchannel.delivery.TIMEOUT_SECONDS", 0.5)


def test_the_token_is_posted_as_a_form(receiver):
    assert deliver(receiver.url, TOKEN) == ""

    [(path, headers, form)] = receiver.heard
    assert path == "/logged-out"
    assert form == {"logout_token": [TOKEN]}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in headers


def test_the_registered_query_is_kept(receiver):
    assert deliver(f"{receiver.url}?tenant=a%20b", TOKEN) == ""

    assert receiver.heard[0][0] == "/logged-out?tenant=a%20b"


@pytest.mark.parametrize("status", [200, 204])
def test_it_is_taken(receiver, status):
    receiver.answer(status, {"Cache-Control": "max-age=3600"})

    assert deliver(receiver.url, TOKEN) == ""


@pytest.mark.parametrize("status", [201, 202, 206, 400, 401, 404, 429, 500, 501, 503, 504])
def test_it_is_not_taken(receiver, status):
    receiver.answer(status)

    assert deliver(receiver.url, TOKEN) == f"answered_{status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_led_elsewhere(receiver, status):
    receiver.answer(status, {"Location": receiver.url + "/elsewhere"})

    assert deliver(receiver.url, TOKEN) == f"answered_{status}"

    assert len(receiver.heard) == 1


def test_an_application_that_lost_its_address_is_not_asked():
    assert deliver("", TOKEN) == "no_address"


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    assert deliver(f"http://127.0.0.1:{port}/?key=hunter2", TOKEN) == "connect_failed"


def test_no_answer_in_time(raw_server):
    assert deliver(raw_server(), TOKEN) == "timed_out"


def test_no_answer_in_time_for_all_its_drops(raw_server):
    began = time.monotonic()

    assert deliver(raw_server(*[b"H"] * 20, pause=0.2), TOKEN) == "timed_out"

    assert time.monotonic() - began < 2


def test_no_http(raw_server):
    assert deliver(raw_server(b"SSH-2.0-OpenSSH_9.6\r\n"), TOKEN) == "broken_connection"


def test_no_tls(receiver):
    assert deliver(receiver.url.replace("http:", "https:"), TOKEN) == "tls_failed"


def test_what_cannot_be_asked_fails_as_well():
    assert deliver("https://[::1", TOKEN) == "broken_connection"


def test_what_nobody_foresaw_fails_without_saying_what(receiver, monkeypatch, caplog):
    def stumble(*args, **kwargs):
        raise ValueError(receiver.url)

    monkeypatch.setattr("requests.Session.post", stumble)

    assert deliver(receiver.url, TOKEN) == "not_sent"

    assert [record.getMessage() for record in caplog.records] == [
        "A logout notice can't be sent: ValueError."
    ]


def test_an_answer_that_never_ends_is_not_waited_for(raw_server):
    endless = [b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 100]
    began = time.monotonic()

    assert deliver(raw_server(*endless, pause=0.1), TOKEN) == ""

    assert time.monotonic() - began < 5


def test_of_a_large_answer_a_little_is_read(raw_server, monkeypatch):
    read, lengths = HTTPResponse.read1, []

    def counted(self, amount):
        chunk = read(self, amount)
        lengths.append(len(chunk))
        return chunk

    monkeypatch.setattr(HTTPResponse, "read1", counted)
    url = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", b"x" * 1_000_000)

    assert deliver(url, TOKEN) == ""

    assert 64 * 1024 <= sum(lengths) <= 80 * 1024


def test_a_broken_answer_to_a_taken_token_is_forgiven(raw_server):
    url = raw_server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")

    assert deliver(url, TOKEN) == ""


def test_no_cookie_is_kept_and_no_proxy_taken_from_the_environment(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    receiver.answer(200, {"Set-Cookie": "session=theirs; Path=/"})

    assert deliver(receiver.url, TOKEN) == deliver(receiver.url, TOKEN) == ""

    assert "Cookie" not in receiver.heard[1][1]


def test_neither_token_nor_address_is_in_the_log(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    receiver.answer(500)

    deliver(f"{receiver.url}?key=hunter2", TOKEN)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    deliver(f"http://127.0.0.1:{port}/?key=hunter2", TOKEN)

    assert TOKEN not in caplog.text
    assert "hunter2" not in caplog.text

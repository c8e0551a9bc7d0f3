"""Requests of the benchmarks, answered by a WSGI application in this process."""

import pytest

from benchmarks.http1 import request
from benchmarks.in_process import answer_of, carry_out, environ_of
from benchmarks.scenarios import Failed

pytestmark = pytest.mark.once


def echo(environ, start_response):
    """Answer with what was asked."""
    start_response("201 Created", [("Location", "/there"), ("X-Cookie", environ["HTTP_COOKIE"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


def test_a_request_becomes_an_environment():
    sent = request("POST", "/a?b=c", "host", {"Content-Type": "text/plain", "X-One": "1"}, b"body")

    environ = environ_of(sent)

    assert environ["wsgi.input"].read() == b"body"
    assert {
        name: environ[name]
        for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH")
    } == {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/a",
        "QUERY_STRING": "b=c",
        "CONTENT_LENGTH": "4",
    }
    assert (environ["CONTENT_TYPE"], environ["HTTP_X_ONE"]) == ("text/plain", "1")


def test_an_answer_has_status_headers_and_body():
    answer = answer_of(echo, request("POST", "/", "host", {"Cookie": "a=b"}, b"body"))

    assert (answer.status, answer.location, answer.body) == (201, "/there", b"POST body")
    assert answer.headers("x-cookie") == ["a=b"]


def test_a_flow_gets_its_answers_and_its_failure_is_raised():
    seen = []

    def flow():
        for number in range(2):
            answer = yield request("GET", f"/{number}", "host", {"Cookie": "-"})
            seen.append(answer.status)
        raise Failed("enough")

    with pytest.raises(Failed, match="enough"):
        carry_out(echo, flow())

    assert seen == [201, 201]

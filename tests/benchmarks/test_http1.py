"""The HTTP of the load generator and the emulator."""

import pytest

from benchmarks.http1 import Answer, CookieJar, read_answer, request

pytestmark = pytest.mark.once

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED])
def test_an_answer_that_isnt_complete_is_waited_for(whole):
    assert [read_answer(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
    assert read_answer(whole) is not None


def test_what_follows_an_answer_is_left():
    answer, size = read_answer(PLAIN + CHUNKED)

    assert (answer.status, answer.body, size) == (200, b"{}", len(PLAIN))


def test_chunks_are_joined():
    answer, size = read_answer(CHUNKED + PLAIN)

    assert (answer.body, size) == (b"abcde", len(CHUNKED))


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body_whatever_their_length_says(status):
    head = f"HTTP/1.1 {status} X\r\nContent-Length: 5".encode()

    assert read_answer(head + b"\r\n\r\n") == (Answer(status, head, b""), len(head) + 4)


def test_headers_are_found_in_any_case():
    answer = Answer(
        302, b"HTTP/1.1 302 Found\r\nLOCATION: /a\r\nset-cookie: b=1\r\nSet-Cookie: c=2", b""
    )

    assert answer.location == "/a"
    assert answer.headers("Set-Cookie") == ["b=1", "c=2"]


def test_a_post_says_its_length_even_without_a_body():
    assert request("POST", "/a", "h") == b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"


def test_cookies_are_sent_where_they_belong_until_they_are_deleted():
    jar = CookieJar()
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/login; HttpOnly"
    jar.keep(Answer(200, head, b""))

    assert jar.header("/login/x") == {"Cookie": "a=1; b=2"}
    assert jar.header("/oidc") == {"Cookie": "a=1"}
    jar.keep(Answer(200, b"HTTP/1.1 200 OK\r\nSet-Cookie: a=; Max-Age=0; Path=/", b""))
    assert jar.header("/oidc") == {}

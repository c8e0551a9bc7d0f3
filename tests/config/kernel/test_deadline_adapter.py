"""A request's time is up for good, whatever the other side does meanwhile."""

import socket
import time

import pytest
from urllib3 import Timeout

from config.kernel.deadline_adapter import DeadlineAdapter
from config.kernel.http import HTTP_FAILURES, new_session, reason_of
from tests.support.logout_receiver import raw_serving

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def raw_server():
    with raw_serving() as serve:
        yield serve


def failure_of(url: str) -> str:
    """Post something within half a second; return why that failed."""
    session = new_session(pool_size=1, adapter_class=DeadlineAdapter)
    with pytest.raises(HTTP_FAILURES) as caught:
        session.post(url, data={"a": "b"}, timeout=Timeout(total=0.5))
    return reason_of(caught.value)


@pytest.mark.parametrize(
    ("begin", "drop"),
    [(b"", OK[:1]), (OK, b"X-A: b\r\n"), (OK + b"X-A: ", b"b"), (b"", b"HTTP/1.1 100 C\r\n\r\n")],
    ids=["status", "headers", "a header", "continue"],
)
def test_an_answer_in_drops_is_not_waited_for(raw_server, begin, drop):
    url = raw_server(begin, *[drop] * 20, pause=0.2)
    began = time.monotonic()

    assert failure_of(url) == "timed_out"

    assert time.monotonic() - began < 2


def test_many_dead_addresses_share_the_time(monkeypatch):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())
            monkeypatch.setattr(socket, "getaddrinfo", _always([one] * 10))
            began = time.monotonic()

            assert failure_of("http://many.example/") == "connect_failed"

            assert time.monotonic() - began < 2


def _always(answer):
    def give(*_args, **_options):
        return answer

    return give

"""The load generator at a server, and programs that are started and stopped."""

import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.load import Order
from benchmarks.processes import ProgramFailed, Running, bare_environment, run, tree
from benchmarks.session import carry_out

pytestmark = pytest.mark.once


class Handler(BaseHTTPRequestHandler):
    """Knows who the bearer of one token is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == "Bearer good"
        body = b'{"sub": "alice"}' if known else b'{"error": "invalid_token"}'
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def order(url: str, token: str = "good", **fields: object) -> Order:
    parameters = {"path": "/", "tokens": [token]}
    return Order(url=url, door="userinfo", parameters=parameters, connections=3, **fields)


def test_a_number_of_flows_is_counted(url):
    report = carry_out(order(url, count=20))

    assert (report.flows, report.requests, report.measured, report.failed) == (20, 20, 20, 0)
    assert 0 < report.p50 <= report.p90 <= report.p99


def test_a_rate_is_kept(url):
    report = carry_out(order(url, rate=50, seconds=0.4, warm_up=0.1))

    assert 20 <= report.flows <= 25
    assert report.seconds == pytest.approx(0.4, abs=0.05)


def test_failures_end_the_run_with_the_first_answer(url):
    with pytest.raises(ProgramFailed, match="invalid_token"):
        carry_out(order(url, token="bad", count=5))


def test_a_server_that_goes_away_is_a_failure():
    with pytest.raises(ProgramFailed):
        carry_out(order("http://127.0.0.1:9", count=1))


def is_alive(pid: int) -> bool:
    # Without its parent a child that was killed may stay a zombie.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_program_is_stopped_with_its_children(tmp_path):
    child = "import time; time.sleep(60)"
    parent = (
        f"import subprocess, sys; print('up'); subprocess.run([sys.executable, '-c', '{child}'])"
    )
    command = [sys.executable, "-u", "-c", parent]
    running = Running(command, bare_environment(), tmp_path / "log")
    assert running.first_line() == "up"
    while len(descendants := tree(running.pid)) < 2:
        pass

    running.stop()

    deadline = time.monotonic() + 5
    while any(is_alive(process.pid) for process in descendants):
        assert time.monotonic() < deadline


def test_a_program_that_ends_too_early_shows_its_log(tmp_path):
    running = Running(
        [sys.executable, "-c", "exit('no port')"], bare_environment(), tmp_path / "log"
    )
    with pytest.raises(ProgramFailed, match="no port"):
        running.wait_for("http://127.0.0.1:9/")
    running.stop()


def test_a_command_that_fails_shows_what_it_printed():
    with pytest.raises(ProgramFailed, match="no such table"):
        run([sys.executable, "-c", "exit('no such table')"], bare_environment())

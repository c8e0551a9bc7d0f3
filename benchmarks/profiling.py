"""`make profile`: where the CPU time of a returning login goes, by room.

Logins run one after the other in this process, through the WSGI application, against an emulator
of WeChat that answers at once. A timer of the process's CPU time (ITIMER_PROF) interrupts them;
each time the innermost frame is counted, so time spent in a C extension counts for the Python code
that called it. The second table counts the same samples for the innermost frame of this server's
own code: what a library does on behalf of it.
"""

import argparse
import io
import json
import os
import signal
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from types import FrameType
from typing import Any, Self

from benchmarks import programs
from benchmarks.database import database_server
from benchmarks.processes import ROOT
from benchmarks.report import RESULTS, aligned
from benchmarks.scenarios import People

INTERVAL = 0.001
LOGINS, PEOPLE = 2000, 500
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
SMALLEST_SHARE = 0.003
APPS = ("accounts", "applications", "config", "identity_sources", "userpools")
TOGETHER = {"urllib3": "requests", "psycopg_binary": "psycopg", "psycopg_pool": "psycopg"}
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


def room_of(filename: str) -> str:
    """Return the room that a file is in: a library, or a module or package of one of our apps."""
    path = Path(filename)
    if path.is_relative_to(ROOT) and ".venv" not in path.parts:
        parts = path.relative_to(ROOT).parts
        return "/".join(parts).removesuffix(".py").removesuffix("/__init__")
    if "site-packages" in path.parts:
        after = path.parts[path.parts.index("site-packages") + 1 :]
        return _library(after)
    if path.is_relative_to(STANDARD_LIBRARY):
        return f"Python: {path.relative_to(STANDARD_LIBRARY).parts[0].removesuffix('.py')}"
    return "Python"


def _library(parts: Sequence[str]) -> str:
    name = parts[0].removesuffix(".py")
    name = TOGETHER.get(name, name)
    if name == "django":
        depth = 3 if parts[1] == "db" else 2
        return ".".join(parts[:-1][:depth])
    return name


class Sampler:
    """Counts samples by the room of the innermost frame, and of the innermost of ours."""

    def __init__(self) -> None:
        self.by_room: Counter[str] = Counter()
        self.by_ours: Counter[str] = Counter()
        self._rooms: dict[str, str] = {}

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        return self

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.by_room["/".join(self._room(frame).split("/")[:2])] += 1
        while frame is not None and not self._room(frame).startswith(APPS):
            frame = frame.f_back
        self.by_ours[self._room(frame) if frame else "none of ours"] += 1

    def _room(self, frame: FrameType) -> str:
        filename = frame.f_code.co_filename
        if filename not in self._rooms:
            self._rooms[filename] = room_of(filename)
        return self._rooms[filename]


def table(title: str, counted: Counter[str], milliseconds: float) -> str:
    """Return the share of each room, and its part of these milliseconds."""
    total = counted.total() or 1
    small = [room for room, count in counted.items() if count < SMALLEST_SHARE * total]
    shown = Counter({room: count for room, count in counted.items() if room not in small})
    shown["the rest"] = sum(counted[room] for room in small)
    rows = [
        (room, f"{100 * count / total:.1f} %", f"{milliseconds * count / total:.3f}")
        for room, count in shown.most_common()
    ]
    return aligned([(title, "share", "ms per login"), *rows])


def main(arguments: Sequence[str]) -> None:
    """Profile the logins, print the tables and write them to a file."""
    parser = argparse.ArgumentParser(prog="make profile")
    parser.add_argument("--logins", type=int, default=LOGINS)
    parser.add_argument("--dry", action="store_true", help="write no file")
    given = parser.parse_args(arguments)
    text = profile(given.logins)
    print(text)  # noqa: T201 - a command's output
    if not given.dry:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"profile-{datetime.now(UTC).date().isoformat()}.txt"
        path.write_text(text + "\n")


def profile(logins: int) -> str:
    """Return the tables of this many returning logins."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(database_server())
        wechat_url = stack.enter_context(programs.wechat(0, scratch))
        program = programs.ours(server.create("profile"), wechat_url, workers=1, scratch=scratch)
        # Without the thread whose CPU time would count for what this one is waiting for.
        os.environ.update(program.environment | {"LOGOUT_COURIER": "off"})
        stack.callback(_disconnect)
        from config.wsgi import application  # noqa: PLC0415 - it reads the environment

        people = People(min(PEOPLE, logins))
        _log_in(application, people, min(PEOPLE, logins))  # everybody once, and warm
        with Sampler() as sampler:
            begun = process_time()
            _log_in(application, people, logins)
            milliseconds = 1000 * (process_time() - begun) / logins
    head = f"{logins} returning logins, {milliseconds:.2f} ms of CPU time each, in one thread"
    return "\n\n".join(
        [
            f"{head}; {sampler.by_room.total()} samples.",
            table("own time of", sampler.by_room, milliseconds),
            table("on behalf of", sampler.by_ours, milliseconds),
        ]
    )


def _log_in(application: Application, people: People, count: int) -> None:
    needs = programs.OURS["login"]
    for _ in range(count):
        body = json.dumps({"code": people.code()} | needs["fields"]).encode()
        said: list[str] = []
        chunks = application(
            _request(needs["path"], body), lambda status, _headers, said=said: said.append(status)
        )
        answer = b"".join(chunks)
        chunks.close()
        if not said[0].startswith("200"):
            sys.exit(f"{said[0]}: {answer.decode()}")


def _request(path: str, body: bytes) -> dict[str, Any]:
    # As Granian's.
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _disconnect() -> None:
    from django.db import connection  # noqa: PLC0415 - once Django is set up

    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's backend alone


if __name__ == "__main__":
    main(sys.argv[1:])

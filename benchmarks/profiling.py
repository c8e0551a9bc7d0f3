"""`make profile`: where the CPU time of a returning login, or of another door, goes, by room.

Flows run one after the other in this process, through the WSGI application, against an emulator
of WeChat that answers at once. A timer of the process's CPU time (ITIMER_PROF) interrupts them;
each time the innermost frame is counted, so time spent in a C extension counts for the Python code
that called it. The second table counts the same samples for the innermost frame of this server's
own code: what a library does on behalf of it.
"""

import argparse
import os
import signal
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from types import FrameType
from typing import Self

from benchmarks import programs
from benchmarks.database import database_server
from benchmarks.in_process import Application, carry_out
from benchmarks.processes import ROOT
from benchmarks.report import RESULTS, aligned
from benchmarks.scenarios import DOORS, Failed, Scenario

INTERVAL = 0.001
FLOWS, PEOPLE = 2000, 500
STANDARD_LIBRARY = sysconfig.get_path("stdlib")
SMALLEST_SHARE = 0.003
APPS = ("accounts", "applications", "config", "identity_sources", "userpools")
TOGETHER = {"urllib3": "requests", "psycopg_binary": "psycopg", "psycopg_pool": "psycopg"}


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
    return aligned([(title, "share", "ms each"), *rows])


def main(arguments: Sequence[str]) -> None:
    """Profile the flows of a door, print the tables and write them to a file."""
    parser = argparse.ArgumentParser(prog="make profile")
    parser.add_argument("--door", choices=DOORS, default="login")
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--dry", action="store_true", help="write no file")
    given = parser.parse_args(arguments)
    text = profile(given.door, given.flows)
    print(text)  # noqa: T201 - a command's output
    if not given.dry:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"profile-{given.door}-{datetime.now(UTC).date().isoformat()}.txt"
        path.write_text(text + "\n")


def profile(door: str, flows: int) -> str:
    """Return the tables of this many flows."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(database_server())
        wechat_url = stack.enter_context(programs.wechat(0, scratch))
        program = programs.ours(server.create("profile"), wechat_url, workers=1, scratch=scratch)
        # Without the thread whose CPU time would count for what this one is waiting for.
        os.environ.update(program.environment | {"LOGOUT_COURIER": "off"})
        stack.callback(_disconnect)
        from config.wsgi import application  # noqa: PLC0415 - it reads the environment

        scenario = _scenario(application, door, people=min(PEOPLE, flows))
        with Sampler() as sampler:
            begun = process_time()
            _run(application, scenario, door, flows)
            milliseconds = 1000 * (process_time() - begun) / flows
    head = f"{flows} times {door}, {milliseconds:.2f} ms of CPU time each, in one thread"
    return "\n\n".join(
        [
            f"{head}; {sampler.by_room.total()} samples.",
            table("own time of", sampler.by_room, milliseconds),
            table("on behalf of", sampler.by_ours, milliseconds),
        ]
    )


def _scenario(application: Application, door: str, *, people: int) -> Scenario:
    """Return a warm scenario: everybody was here once, and tokens are there to be used."""
    needs = programs.OURS
    warm = Scenario("127.0.0.1", needs["tokens"] | {"population": people, "keeps": True})
    _run(application, warm, "tokens", people)
    name = "refresh_token" if door == "refresh" else "access_token"
    tokens = [kept[name] for kept in warm.kept]
    scenario = Scenario("127.0.0.1", needs[door] | {"population": people, "tokens": tokens})
    _run(application, scenario, door, people)
    return scenario


def _run(application: Application, scenario: Scenario, door: str, flows: int) -> None:
    new_flow = scenario.flows(door)
    try:
        for number in range(flows):
            # The chains of refresh tokens in turn.
            carry_out(application, new_flow(number % max(1, len(scenario.tokens))))
    except Failed as failure:
        sys.exit(str(failure))


def _disconnect() -> None:
    from django.db import connection  # noqa: PLC0415 - once Django is set up

    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL's backend alone


if __name__ == "__main__":
    main(sys.argv[1:])

"""`make bench`: measure the server in turn with the floor and print one table."""

import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, measuring, programs, report
from benchmarks.database import database_server
from benchmarks.figures import Measured
from benchmarks.measuring import Latency
from benchmarks.processes import ROOT, ProgramFailed
from benchmarks.session import Services, Session
from benchmarks.settings import Settings, read_arguments
from tests.postgres import PostgresUnavailableError

GROUPS: dict[str, Callable[[Session], Iterator[Measured]]] = {
    "returning": measuring.returning,
    "new": measuring.new,
    "latency": measuring.latency,
    "wal": measuring.wal,
    "start": measuring.start,
    "doors": measuring.doors,
    "memory": measuring.memory,
}


def main(arguments: Sequence[str]) -> None:
    """Measure what the arguments say, print it, and write it to a file."""
    settings, options = read_arguments(arguments)
    # So that the programs are stopped, whatever ends the run.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    try:
        with session(settings, options.redis) as opened:
            measured, found, failures = measure(opened)
            result = result_of(opened, measured, found)
    except (PostgresUnavailableError, ProgramFailed, ValueError) as error:
        sys.exit(str(error))
    _show(report.table(measured))
    if found:
        _show(report.latencies(found))
    if before := report.last_committed():
        _show(f"Since {before[0]}:\n\n{report.comparison(before[1], result)}")
    if failures:
        sys.exit("\n".join(failures))
    if not options.dry:
        path = report.write(result, _name(settings, options))
        _show(f"Written to {path.relative_to(ROOT)}.")


@contextmanager
def session(settings: Settings, redis_url: str = "") -> Iterator[Session]:
    """Start what every measurement needs, and stop it with all programs when the block ends."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        services = Services(
            database=stack.enter_context(database_server()),
            wechat_url=stack.enter_context(programs.wechat(settings.wechat_milliseconds, scratch)),
            redis_url=stack.enter_context(programs.redis(redis_url, scratch)),
        )
        yield Session(settings, services, scratch, stack)


def measure(opened: Session) -> tuple[list[Measured], list[Latency], list[str]]:
    """Measure the groups of the settings; say on standard error which is under way.

    A group that fails ends, and the others are measured. Return the figures, the latencies by
    logins in flight, and the failures.
    """
    measured: list[Measured] = []
    found: list[Latency] = []
    failures: list[str] = []
    # In flight first: the connections of the peers, which the doors start, stay open.
    for group in ("in-flight", *GROUPS):
        if not opened.settings.has(group):
            continue
        _say(group)
        try:
            if group == "in-flight":
                found += measuring.in_flight(opened)
            else:
                measured += GROUPS[group](opened)
        except ProgramFailed as error:
            failures.append(f"{group} failed. {error}")
    return measured, found, failures


def result_of(
    opened: Session, measured: Sequence[Measured], found: Sequence[Latency]
) -> dict[str, Any]:
    return {
        "date": _today(),
        "machine": machine.machine(),
        "versions": machine.versions(opened.server.version),
        "settings": asdict(opened.settings) | {"postgresql": opened.server.settings()},
        **report.as_result(measured, found),
    }


def _name(settings: Settings, options: Namespace) -> str:
    cores = machine.machine()["cores"]
    return f"{_today()}-{options.name or f'{cores}-cores'}{'-quick' if settings.quick else ''}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _say(group: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {group} …", file=sys.stderr)  # noqa: T201


def _show(text: str) -> None:
    print(f"\n{text}", flush=True)  # noqa: T201 - a command's output


if __name__ == "__main__":
    main(sys.argv[1:])

"""One run's programs, and one measurement of one of them."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import programs
from benchmarks.database import Database, DatabaseServer
from benchmarks.load import Order, Report
from benchmarks.processes import ROOT, ProgramFailed, Running, bare_environment
from benchmarks.programs import Program
from benchmarks.settings import Settings


@dataclass(frozen=True)
class Sample:
    """One run of the load generator, and the CPU time that server and database took for it."""

    report: Report
    server_cpu: float
    database_cpu: float | None

    @property
    def server_cpu_ms(self) -> float:
        """The server's CPU time for each flow, in milliseconds."""
        return 1000 * self.server_cpu / max(1, self.report.flows)


@dataclass
class Contestant:
    """A running program on its database."""

    program: Program
    database: Database
    running: Running
    kept: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the program is called in the table."""
        return self.program.name

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let the program have the CPU until the block ends."""
        self.running.resume()
        try:
            yield
        finally:
            self.running.pause()

    def measure(self, door: str, parameters: dict[str, Any] | None = None, **order: Any) -> Sample:
        """Have the load generator carry out an order at a door."""
        given = Order(
            url=self.program.url,
            door=door,
            parameters=self.program.needs[door] | (parameters or {}),
            **order,
        )
        with self.awake():
            server = self.database.server
            before = (self.running.cpu_seconds(), server.cpu_seconds())
            report = carry_out(given)
            after = (self.running.cpu_seconds(), server.cpu_seconds())
        known = before[1] is not None and after[1] is not None
        database = (after[1] or 0) - (before[1] or 0) if known else None
        return Sample(report, after[0] - before[0], database)

    def tokens(self, door: str, count: int) -> dict[str, list[str]]:
        """Return the tokens that a door needs and the program hasn't given, by logging in."""
        wanted = {"refresh": "refresh_token", "userinfo": "access_token"}
        name = wanted.get(door, "access_token" if door == "introspection" else "")
        # Refresh tokens work once, so each run needs new ones.
        spent = name == "refresh_token"
        if not name or ("tokens" in self.program.needs[door] and not spent):
            return {}
        if spent or not self.kept:
            parameters = {"keeps": True, "population": 10 * count}
            sample = self.measure("tokens", parameters, connections=min(8, count), count=count)
            self.kept = sample.report.kept
        return {"tokens": [tokens[name] for tokens in self.kept]}


def carry_out(order: Order) -> Report:
    """Run the load generator.

    Raises:
        ProgramFailed: too much failed; the message has the first failing answer.

    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(order)),
        env=bare_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{order.url} {order.door}: {done.stderr[-2000:]}")
    return Report(**json.loads(done.stdout))


def in_turn(
    contestants: list[Contestant], once: Callable[[Contestant], Sample], rounds: int
) -> list[list[Sample]]:
    """Measure the contestants A B A B …; return the samples of each."""
    samples: list[list[Sample]] = [[] for _ in contestants]
    for _ in range(rounds):
        for contestant, taken in zip(contestants, samples, strict=True):
            taken.append(once(contestant))
    return samples


@dataclass(frozen=True)
class Services:
    """What the programs of a run have in common; without Redis its address is empty."""

    database: DatabaseServer
    wechat_url: str
    redis_url: str


class Session:
    """The database server, WeChat and Redis of a run, and the programs that were started."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        scratch: Path,
        stack: ExitStack,
    ) -> None:
        self.settings = settings
        self.server = services.database
        self.redis_url = services.redis_url
        self.scratch = scratch
        self.half_rate = 0.0
        """half of the logins a second that were measured, for open loops"""
        self._wechat_url = services.wechat_url
        self._stack = stack
        self._started: dict[str, Contestant] = {}

    @property
    def ours(self) -> Contestant:
        """This server, with a population that has logged in."""
        return self._once("ours", self._make_ours)

    @property
    def floor(self) -> Contestant:
        """The floor, with the same population."""
        return self._once("floor", self._make_floor)

    def with_redis(self) -> Contestant:
        """Return this server on the same database, with Redis as the cache."""
        return self._once("redis", self._make_with_redis)

    def peers(self) -> list[Contestant]:
        """Return the peers, each on a database of its own."""
        return [
            self._once(folder.name, partial(self._make_peer, folder))
            for folder in programs.peer_folders()
        ]

    def populate(self, contestant: Contestant) -> None:
        """Log everybody of the population in once."""
        people = self.settings.people
        contestant.measure("login", {"population": people}, count=people)

    def start(self, program: Program, database: Database) -> Contestant:
        """Start a program; it is paused until it is measured."""
        running = self._stack.enter_context(program.running(self.scratch))
        running.pause()
        return Contestant(program, database, running)

    def _once(self, name: str, make: Callable[[], Contestant]) -> Contestant:
        if name not in self._started:
            self._started[name] = make()
        return self._started[name]

    def _make_ours(self) -> Contestant:
        database = self.server.create("ours")
        workers = self.settings.workers
        program = programs.ours(database, self._wechat_url, workers=workers, scratch=self.scratch)
        return self._populated(program, database)

    def _make_floor(self) -> Contestant:
        database = self.server.create("floor")
        program = programs.floor(database, self._wechat_url, workers=self.settings.workers)
        return self._populated(program, database)

    def _make_with_redis(self) -> Contestant:
        ours = self.ours
        settings = {"CACHE_URL": self.redis_url} if self.redis_url else {}
        return self.start(programs.ours_again(ours.program, **settings), ours.database)

    def _make_peer(self, folder: Path) -> Contestant:
        database = self.server.create("peer")
        workers = self.settings.workers
        contestant = self.start(
            programs.peer(folder, database, self._wechat_url, workers=workers), database
        )
        if "login" in contestant.program.needs:
            self.populate(contestant)
        return contestant

    def _populated(self, program: Program, database: Database) -> Contestant:
        contestant = self.start(program, database)
        self.populate(contestant)
        return contestant

"""The load generator: a process of its own that measures a server from outside.

It reads an order as JSON from standard input and prints what it measured as JSON. In a closed loop
each connection begins the next flow when one is over; with a ``rate`` flows begin at fixed times,
and one that had to wait for a connection counts from the time at which it should have begun.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.http1 import read_answer
from benchmarks.scenarios import Failed, Flow, NewFlow, Scenario

MOST_FAILED = 0.001
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to do: ``seconds`` after ``warm_up``, or ``count`` flows; ``rate`` for an open loop."""

    url: str
    door: str
    parameters: dict[str, Any]
    connections: int = 48
    seconds: float = 5
    warm_up: float = 1
    count: int | None = None
    rate: float | None = None


@dataclass(kw_only=True)
class Report:
    """What was measured; latencies in milliseconds, ``flows`` with those of the warm-up."""

    flows: int = 0
    requests: int = 0
    failed: int = 0
    first_failure: str = ""
    measured: int = 0
    seconds: float = 0
    per_second: float = 0
    p50: float = 0
    p90: float = 0
    p99: float = 0
    cpu_ms_per_request: float = 0
    kept: list[dict[str, str]] = field(default_factory=list)


def percentile(ordered: list[float], share: float) -> float:
    """Return the value that this share of the ordered values doesn't exceed (nearest rank)."""
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


class Connection(asyncio.Protocol):
    """A kept-alive connection with at most one flow at a time."""

    def __init__(self, run: "Run", number: int) -> None:
        self._run = run
        self.number = number
        self._buffer = bytearray()
        self._flow: Flow | None = None
        self._transport: asyncio.Transport | None = None
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def begin(self, flow: Flow, started: float) -> None:
        """Send the first request of a flow."""
        self._flow, self.started = flow, started
        self._send(next(flow))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        complete = read_answer(self._buffer)
        if complete is None or self._flow is None:
            return
        answer, size = complete
        del self._buffer[:size]
        try:
            self._send(self._flow.send(answer))
        except StopIteration:
            self._end("")
        except (Failed, LookupError, ValueError) as failure:
            self._end(f"{failure}" or repr(failure))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._flow is not None:
            self._end("the server closed the connection")

    def _send(self, request: bytes) -> None:
        self._run.report.requests += 1
        if self._transport is not None:
            self._transport.write(request)
        else:
            asyncio.get_running_loop().call_soon(self._end, "the connection was closed")

    def _end(self, failure: str) -> None:
        self._flow = None
        self._run.over(self, failure)


class Run:
    """The state of one order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.report = Report()
        self._url = urlsplit(order.url)
        self._scenario = Scenario(self._url.netloc, order.parameters)
        self._new_flow: NewFlow = self._scenario.flows(order.door)
        self._latencies: list[float] = []
        self._idle: list[Connection] = []
        self._late: list[float] = []
        self._in_flight = 0
        self._begun = 0
        self._done = asyncio.Event()
        self._measure_from = self._until = 0.0

    async def carry_out(self) -> Report:
        """Do what the order says."""
        await asyncio.gather(*(self._connect() for _ in range(self.order.connections)))
        cpu, start = time.process_time(), time.perf_counter()
        self._measure_from = start + (0 if self.order.count else self.order.warm_up)
        self._until = start + PATIENCE_SECONDS * 60
        if not self.order.count:
            self._until = self._measure_from + self.order.seconds
        if self.order.rate:
            await self._at_a_rate(self.order.rate)
        else:
            for connection in self._take_idle():
                self._next(connection)
        await self._wait()
        self._sum_up(time.process_time() - cpu)
        return self.report

    def over(self, connection: Connection, failure: str) -> None:
        """Note the end of a flow, and begin the next one."""
        now = time.perf_counter()
        self._in_flight -= 1
        self.report.flows += 1
        if failure:
            self.report.failed += 1
            self.report.first_failure = self.report.first_failure or failure
        elif self._measure_from <= now <= self._until:
            self._latencies.append(now - connection.started)
        if failure.endswith(("closed the connection", "was closed")):
            asyncio.get_running_loop().create_task(self._replace(connection.number))
        else:
            self._next(connection)

    async def _replace(self, number: int) -> None:
        # The new connection takes the number, and with it the chain of tokens.
        self._next(await self._connect(number))

    def _next(self, connection: Connection) -> None:
        if self._late:
            self._begin(connection, self._late.pop(0))
        elif self.order.rate is None and not self._is_enough():
            self._begin(connection, time.perf_counter())
        else:
            self._idle.append(connection)
        if not self._in_flight and self._is_enough():
            self._done.set()

    def _is_enough(self) -> bool:
        if self.order.count:
            return self._begun >= self.order.count
        return time.perf_counter() >= self._until

    def _begin(self, connection: Connection, started: float) -> None:
        self._in_flight += 1
        self._begun += 1
        connection.begin(self._new_flow(connection.number), started)

    async def _at_a_rate(self, rate: float) -> None:
        due = time.perf_counter()
        while due < self._until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if self._idle:
                self._begin(self._idle.pop(), due)
            else:
                self._late.append(due)
            due += 1 / rate
        await asyncio.sleep(max(0.0, self._until - time.perf_counter()))

    async def _connect(self, number: int | None = None) -> Connection:
        position = len(self._idle) if number is None else number
        connection = Connection(self, position)
        if number is None:
            self._idle.append(connection)
        await asyncio.get_running_loop().create_connection(
            lambda: connection, self._url.hostname or "", self._url.port or 80
        )
        return connection

    def _take_idle(self) -> list[Connection]:
        taken, self._idle = self._idle, []
        return taken

    async def _wait(self) -> None:
        if self._in_flight:
            limit = max(0.0, self._until - time.perf_counter()) + PATIENCE_SECONDS
            try:
                await asyncio.wait_for(self._done.wait(), limit)
            except TimeoutError:
                self.report.failed += self._in_flight
                self.report.first_failure = self.report.first_failure or "no answer at all"

    def _sum_up(self, cpu: float) -> None:
        report, ordered = self.report, sorted(1000 * latency for latency in self._latencies)
        end = time.perf_counter() if self.order.count else self._until
        report.measured = len(ordered)
        report.seconds = end - self._measure_from
        report.per_second = report.measured / report.seconds
        for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            setattr(report, name, percentile(ordered, share))
        report.cpu_ms_per_request = 1000 * cpu / max(1, report.requests)
        report.kept = self._scenario.kept


def main() -> None:
    """Read the order, carry it out and print the report; fail if too much failed."""
    order = Order(**json.load(sys.stdin))

    async def carried_out() -> Report:
        return await Run(order).carry_out()

    report = asyncio.run(carried_out())
    if report.failed > MOST_FAILED * report.flows:
        sys.exit(
            f"{report.failed} of {report.flows} failed at {order.door}; the first answer:\n"
            f"{report.first_failure}"
        )
    json.dump(asdict(report), sys.stdout)


if __name__ == "__main__":
    main()

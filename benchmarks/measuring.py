"""The groups of figures, each measured in turn with what it is compared with."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks import figures, programs
from benchmarks.figures import Figure, Measured
from benchmarks.session import Contestant, Sample, Session, in_turn

LOGINS_FOR_WAL, QUICK_LOGINS_FOR_WAL = 1000, 200
STARTS, QUICK_STARTS = 5, 2
MOST_AT_DOORS = 200
"""people at the other doors: few enough that a peer knows all of them after its first round"""


@dataclass(frozen=True)
class Latency:
    """The latencies of returning logins with this many in flight."""

    name: str
    in_flight: int
    per_second: float
    p50: float
    p90: float
    p99: float


def returning(session: Session) -> Iterator[Measured]:
    """Measure logins of people who have logged in before, and the CPU time they take."""
    both = [session.ours, session.floor]
    samples = _logins(session, both, {"population": session.settings.people})
    session.half_rate = median(map(_per_second, samples[0])) / 2
    yield _pair(figures.RETURNING, samples, _per_second)
    yield _pair(figures.CPU, samples, lambda sample: sample.server_cpu_ms)
    if all(sample.database_cpu is not None for sample in samples[0] + samples[1]):
        yield _pair(figures.DATABASE_CPU, samples, _database_ms)


def new(session: Session) -> Iterator[Measured]:
    """Measure logins of people whom nobody has seen before."""
    yield _pair(figures.NEW, _logins(session, [session.ours, session.floor], {}), _per_second)


def latency(session: Session) -> Iterator[Measured]:
    """Measure latencies at half of the maximum rate, in an open loop."""
    settings = session.settings
    population = {"population": settings.people}
    if not session.half_rate:
        ((sample,),) = _logins(session, [session.ours], population, rounds=1)
        session.half_rate = sample.report.per_second / 2
    both = [session.ours, session.floor]
    samples = _logins(session, both, population, rate=session.half_rate)
    measured = _pair(
        figures.P99, samples, lambda sample: sample.report.p99 - settings.wechat_milliseconds
    )
    measured.note = f"{session.half_rate:.0f} logins/s"
    yield measured


def in_flight(session: Session) -> Iterator[Latency]:
    """Measure latencies by the number of logins in flight."""
    population = {"population": session.settings.people}
    both = [session.ours, session.floor]
    for connections in session.settings.in_flight:
        samples = _logins(session, both, population, rounds=1, connections=connections)
        for contestant, (sample,) in zip(both, samples, strict=True):
            report = sample.report
            yield Latency(
                contestant.name,
                connections,
                report.per_second,
                report.p50,
                report.p90,
                report.p99,
            )


def wal(session: Session) -> Iterator[Measured]:
    """Count what a returning login commits and writes, with Redis as the cache."""
    commits = Measured(figure=figures.COMMITS, other_name="floor")
    volume = Measured(figure=figures.WAL, other_name="floor")
    cached = session.with_redis()
    for contestant, committed, written in (
        (cached, commits.ours, volume.ours),
        (session.floor, commits.other, volume.other),
    ):
        logins = QUICK_LOGINS_FOR_WAL if session.settings.quick else LOGINS_FOR_WAL
        session.server.checkpoint()
        start = session.server.wal_position()
        contestant.measure("login", {"population": session.settings.people}, count=logins)
        found = session.server.wal_since(start, contestant.database.name)
        if found is not None:
            committed.append(found.commits / logins)
            written.append(found.record_bytes / logins / 1000)
    if not session.redis_url:
        commits.note = volume.note = "no Redis: the cache was the database"
    yield from (commits, volume)


def start(session: Session) -> Iterator[Measured]:
    """Measure how long `make serve` takes until it answers; the session collected static files."""
    ours = session.ours
    measured = Measured(figure=figures.START)
    for _ in range(QUICK_STARTS if session.settings.quick else STARTS):
        program = programs.ours_again(ours.program)
        begun = time.perf_counter()
        with program.running(session.scratch):
            measured.ours.append(time.perf_counter() - begun)
    yield measured


def memory(session: Session) -> Iterator[Measured]:
    """Measure the memory of a worker after few and after many logins."""
    few, many = session.settings.memory_after
    contestant = session.start(programs.ours_again(session.ours.program), session.ours.database)
    sizes = []
    for logins in (few, many - few):
        contestant.measure("login", {"population": session.settings.people}, count=logins)
        sizes.append(contestant.running.worker_memory())
    growth = 100 * (sizes[1] / sizes[0] - 1)
    note = f"{sizes[0]:.0f} MB after {few:,}, {sizes[1]:.0f} MB after {many:,}"
    yield Measured(figure=figures.MEMORY, ours=[growth], note=note)


def doors(session: Session) -> Iterator[Measured]:
    """Measure the other doors, in turn with each peer that has them."""
    peers = session.peers() if session.settings.peers else []
    for door, figure in figures.DOORS.items():
        rivals = [peer for peer in peers if door in peer.program.needs]
        for rival in rivals:
            samples = _at_door(session, [session.ours, rival], door)
            yield _pair(figure, samples, _per_second, rival.name)
        if not rivals and door != "login":
            (ours,) = _at_door(session, [session.ours], door)
            yield Measured(figure=figure, ours=[_per_second(sample) for sample in ours])


def _at_door(session: Session, contestants: list[Contestant], door: str) -> list[list[Sample]]:
    settings = session.settings

    def once(contestant: Contestant) -> Sample:
        return contestant.measure(
            door,
            {"population": min(settings.people, MOST_AT_DOORS)}
            | contestant.tokens(door, settings.door_connections),
            connections=settings.door_connections * (2 if door == "login" else 1),
            seconds=settings.seconds,
            warm_up=settings.warm_up,
        )

    return in_turn(contestants, once, settings.pairs)


def _logins(
    session: Session,
    contestants: list[Contestant],
    parameters: dict[str, int],
    **changes: Any,
) -> list[list[Sample]]:
    """Measure logins; the changes are of the order, and ``rounds``."""
    settings = session.settings
    rounds = changes.pop("rounds", settings.pairs)
    order = {
        "connections": settings.connections,
        "seconds": settings.seconds,
        "warm_up": settings.warm_up,
    } | changes
    return in_turn(
        contestants, lambda contestant: contestant.measure("login", parameters, **order), rounds
    )


def _pair(
    figure: Figure,
    samples: list[list[Sample]],
    of: Callable[[Sample], float],
    name: str = "floor",
) -> Measured:
    return Measured(
        figure=figure,
        ours=[of(sample) for sample in samples[0]],
        other=[of(sample) for sample in samples[1]],
        other_name=name,
    )


def _per_second(sample: Sample) -> float:
    return sample.report.per_second


def _database_ms(sample: Sample) -> float:
    return 1000 * (sample.database_cpu or 0) / max(1, sample.report.flows)

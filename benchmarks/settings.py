"""The options of `make bench`."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass

GROUPS = ("returning", "new", "latency", "in-flight", "wal", "start", "doors", "memory")
PAIRS, QUICK_PAIRS = 5, 3
SECONDS, QUICK_SECONDS = 6.0, 2.0
PEOPLE, QUICK_PEOPLE = 2000, 300
IN_FLIGHT, QUICK_IN_FLIGHT = (1, 8, 32, 64), (1, 32)
CONNECTIONS = 48
DOOR_CONNECTIONS = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run measures; all of it is in the results."""

    pairs: int = PAIRS
    seconds: float = SECONDS
    warm_up: float = 1.0
    people: int = PEOPLE
    wechat_milliseconds: float = 80.0
    workers: int = 1
    connections: int = CONNECTIONS
    door_connections: int = DOOR_CONNECTIONS
    """in flight at the other doors; twice as many at the login of peers"""
    in_flight: tuple[int, ...] = IN_FLIGHT
    groups: tuple[str, ...] = GROUPS
    peers: bool = False
    long: bool = False
    quick: bool = False
    memory_after: tuple[int, int] = (10_000, 100_000)

    def has(self, group: str) -> bool:
        """Tell whether a group of figures is measured."""
        return group in self.groups and (group != "memory" or self.long)


def read_arguments(arguments: Sequence[str]) -> tuple[Settings, argparse.Namespace]:
    """Return the settings, and the options that don't change what is measured."""
    given = _parser().parse_args(arguments)
    quick = given.quick
    settings = Settings(
        pairs=given.pairs or (QUICK_PAIRS if quick else PAIRS),
        seconds=given.seconds or (QUICK_SECONDS if quick else SECONDS),
        warm_up=0.5 if quick else 1.0,
        people=given.people or (QUICK_PEOPLE if quick else PEOPLE),
        wechat_milliseconds=given.latency,
        workers=given.workers,
        connections=given.connections,
        in_flight=QUICK_IN_FLIGHT if quick else IN_FLIGHT,
        groups=tuple(given.only or GROUPS),
        peers=given.peers,
        long=given.long,
        quick=quick,
    )
    return settings, given


def _groups(text: str) -> list[str]:
    named = [word.strip() for word in text.split(",") if word.strip()]
    if unknown := set(named) - set(GROUPS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(GROUPS)}")
    return named


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure this server in turn with the floor and with peers."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="short runs, to see whether something changed")
    add("--only", type=_groups, metavar="GROUP,…", help=f"of {', '.join(GROUPS)}")
    add("--peers", action="store_true", help="also measure the peers (benchmarks/peers)")
    add("--long", action="store_true", help="also memory after 10,000 and 100,000 logins")
    add("--pairs", type=int, help=f"runs of each in turn ({PAIRS})")
    add("--seconds", type=float, help=f"of each run ({SECONDS:g})")
    add("--people", type=int, help=f"who have logged in before ({PEOPLE})")
    add("--connections", type=int, default=CONNECTIONS, help="in flight (%(default)s)")
    add("--latency", type=float, default=80.0, help="WeChat's, in milliseconds (%(default)g)")
    add("--workers", type=int, default=os.cpu_count() or 1, help="of each server (the cores)")
    add("--redis", default=os.environ.get("CACHE_URL", ""), help="else one is started, if there is")
    add("--name", help="of the results' file; its default says how many cores there are")
    add("--dry", action="store_true", help="write no results")
    return parser

"""The figures, their limits, and what was measured of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Outcome = Literal["goal", "yes", "NO", "-"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure with its limits: at least them, or at most. A ratio is ours to the other's."""

    key: str
    title: str
    unit: str
    must: float | None = None
    goal: float | None = None
    at_least: bool = True
    is_ratio: bool = True

    def outcome(self, value: float | None) -> Outcome:
        """Judge a value by the limits."""
        if value is None or self.must is None:
            return "-"
        if self.goal is not None and self._holds(value, self.goal):
            return "goal"
        return "yes" if self._holds(value, self.must) else "NO"

    def _holds(self, value: float, limit: float) -> bool:
        return value >= limit if self.at_least else value <= limit


@dataclass(kw_only=True)
class Measured:
    """The runs of a figure: ours, and in turn with them the floor's or a peer's."""

    figure: Figure
    ours: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    other_name: str = ""
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours to the other's, pair by pair."""
        pairs = zip(self.ours, self.other, strict=False)
        return [ours / other for ours, other in pairs if other]

    @property
    def value(self) -> float | None:
        """What the limits are about: the median of the ratios, or of our runs."""
        runs = self.ratios if self.figure.is_ratio else self.ours
        return median(runs) if runs else None

    @property
    def outcome(self) -> Outcome:
        """How the value is judged."""
        return self.figure.outcome(self.value)


RETURNING = Figure(key="returning", title="returning logins", unit="/s", must=0.55, goal=0.70)
NEW = Figure(key="new", title="new people", unit="/s", must=0.45, goal=0.60)
CPU = Figure(
    key="cpu",
    title="server CPU per returning login",
    unit="ms",
    must=2.0,
    goal=1.5,
    at_least=False,
)
DATABASE_CPU = Figure(
    key="database_cpu", title="PostgreSQL's CPU per returning login", unit="ms", at_least=False
)
P99 = Figure(
    key="p99",
    title="p99 at half of the maximum, without WeChat",
    unit="ms",
    must=25,
    goal=15,
    at_least=False,
    is_ratio=False,
)
COMMITS = Figure(
    key="commits",
    title="transactions that write, per returning login",
    unit="",
    must=2,
    goal=1,
    at_least=False,
    is_ratio=False,
)
WAL = Figure(
    key="wal",
    title="WAL per returning login, without page images",
    unit="kB",
    must=4,
    goal=3,
    at_least=False,
    is_ratio=False,
)
START = Figure(
    key="start",
    title="first answer of make serve",
    unit="s",
    must=3,
    at_least=False,
    is_ratio=False,
)
MEMORY = Figure(
    key="memory",
    title="memory per worker, growth with logins",
    unit="%",
    must=3,
    at_least=False,
    is_ratio=False,
)
DOORS = {
    "login": Figure(key="login", title="mini program login", unit="/s", must=0.5, goal=0.65),
    "website": Figure(
        key="website", title="website: to WeChat and back", unit="/s", must=1.2, goal=2
    ),
    "tokens": Figure(key="tokens", title="whole way to tokens", unit="/s", must=1.8, goal=3),
    "refresh": Figure(key="refresh", title="refresh", unit="/s", must=2, goal=3),
    "userinfo": Figure(key="userinfo", title="userinfo", unit="/s", must=1, goal=1.5),
    "introspection": Figure(
        key="introspection", title="introspection", unit="/s", must=1, goal=1.5
    ),
    "client_credentials": Figure(
        key="client_credentials", title="client credentials", unit="/s", must=1.2, goal=2
    ),
}


def spread(runs: Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest."""
    return min(runs), max(runs)

"""The table, the file of results, and the comparison with the last committed one."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Measured, spread
from benchmarks.measuring import Latency
from benchmarks.processes import ROOT

RESULTS = ROOT / "benchmarks" / "results"
COLUMNS = ("figure", "ours", "floor or peer", "ratio", "must", "goal", "ok?")
NOT_MEASURED, NOTHING = "not measured", "-"


def table(measured: Sequence[Measured]) -> str:
    """Return the figures as a table."""
    return aligned([COLUMNS, *(_row(one) for one in measured)])


def latencies(found: Sequence[Latency]) -> str:
    """Return the latencies by the number in flight as a table."""
    head = ("returning logins", "in flight", "logins/s", "p50 ms", "p90 ms", "p99 ms")
    rows = [
        (one.name, str(one.in_flight), *map(number, (one.per_second, one.p50, one.p90, one.p99)))
        for one in found
    ]
    return aligned([head, *rows])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of Markdown whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _row(one: Measured) -> tuple[str, ...]:
    figure = one.figure
    sign = "≥" if figure.at_least else "≤"
    beside = f" ({one.other_name})" if one.other and one.other_name != "floor" else ""
    note = f" [{one.note}]" if one.note else ""
    return (
        figure.title + note,
        _with_spread(one.ours, figure.unit) if one.ours else NOT_MEASURED,
        _with_spread(one.other, figure.unit) + beside if one.other else NOTHING,
        _with_spread(one.ratios, "") if one.ratios else NOTHING,
        NOTHING if figure.must is None else f"{sign} {figure.must:g}",
        NOTHING if figure.goal is None else f"{sign} {figure.goal:g}",
        one.outcome,
    )


def _with_spread(runs: Sequence[float], unit: str) -> str:
    middle = f"{number(median(runs))}{unit if unit.startswith('/') else unit and f' {unit}'}"
    if len(runs) == 1:
        return middle
    low, high = spread(runs)
    return f"{middle} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"  # noqa: PLR2004


def as_result(measured: Sequence[Measured], found: Sequence[Latency]) -> dict[str, Any]:
    """Return the figures with their runs, as the file has them."""
    return {
        "figures": {_key(one): _entry(one) for one in measured},
        "latencies": [
            {name: _rounded(value) for name, value in asdict(one).items()} for one in found
        ],
    }


def _key(one: Measured) -> str:
    beside = one.other_name if one.other_name != "floor" else ""
    return f"{one.figure.key}:{beside}" if beside else one.figure.key


def _entry(one: Measured) -> dict[str, Any]:
    return {
        "title": one.figure.title,
        "unit": one.figure.unit,
        "ours": [_rounded(run) for run in one.ours],
        "other": one.other_name if one.other else "",
        "others": [_rounded(run) for run in one.other],
        "value": _rounded(one.value),
        "must": one.figure.must,
        "goal": one.figure.goal,
        "outcome": one.outcome,
        "note": one.note,
    }


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def last_committed(root: Path = ROOT) -> tuple[str, dict[str, Any]] | None:
    """Return name and contents of the newest results that are committed."""
    listed = _git(root, "ls-tree", "-r", "--name-only", "HEAD", "benchmarks/results")
    names = sorted(name for name in listed.splitlines() if name.endswith(".json"))
    if not names:
        return None
    contents: dict[str, Any] = json.loads(_git(root, "show", f"HEAD:{names[-1]}"))
    return Path(names[-1]).name, contents


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - git, with words of ours
        ["git", *words],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


def comparison(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return what changed of the figures that both results have."""
    rows: list[tuple[str, ...]] = [("figure", "before", "now", "change")]
    for key, entry in now["figures"].items():
        old = before["figures"].get(key, {}).get("value")
        new = entry["value"]
        if old and new is not None:
            change = f"{100 * (new / old - 1):+.0f} %"
            rows.append((entry["title"], number(old), number(new), change))
    return aligned(rows)


def write(result: dict[str, Any], name: str) -> Path:
    """Write the file of results; return where."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return path

"""Figures and their limits, the table, and the comparison with earlier results."""

import json
import shutil
import subprocess

import pytest

from benchmarks import figures, report
from benchmarks.figures import Figure, Measured
from benchmarks.measuring import Latency

pytestmark = pytest.mark.once

GIT = shutil.which("git") or "git"
MORE = Figure(key="more", title="logins", unit="/s", must=0.5, goal=0.7)
LESS = Figure(key="less", title="wait", unit="ms", must=25, goal=15, at_least=False, is_ratio=False)


@pytest.mark.parametrize(
    ("figure", "value", "outcome"),
    [
        (MORE, 0.49, "NO"),
        (MORE, 0.5, "yes"),
        (MORE, 0.7, "goal"),
        (MORE, None, "-"),
        (LESS, 26.0, "NO"),
        (LESS, 25.0, "yes"),
        (LESS, 14.0, "goal"),
        (figures.DATABASE_CPU, 1.0, "-"),
    ],
)
def test_a_value_is_judged_by_its_limits(figure, value, outcome):
    assert figure.outcome(value) == outcome


def test_a_ratio_is_the_median_of_the_pairs():
    measured = Measured(figure=MORE, ours=[10, 20, 30], other=[100, 40, 60])

    assert measured.ratios == [0.1, 0.5, 0.5]
    assert measured.value == 0.5


def test_a_figure_of_ours_alone_is_the_median_of_its_runs():
    assert Measured(figure=LESS, ours=[30, 10, 20], other=[1, 1, 1]).value == 20


def test_the_table_says_what_was_not_measured():
    lines = report.table([Measured(figure=MORE), Measured(figure=LESS, ours=[16.04])]).splitlines()

    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == list(report.COLUMNS)
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        *("logins", "not measured", "-", "-", "≥ 0.5", "≥ 0.7", "-")
    ]
    assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == [
        *("wait", "16.0 ms", "-", "-", "≤ 25", "≤ 15", "yes")
    ]


def test_a_peer_is_named_and_the_spread_shown():
    row = report.table([Measured(figure=MORE, ours=[1, 3], other=[2, 2], other_name="drf")])

    assert "2.00/s (1.00 to 3.00)" in row
    assert "2.00/s (2.00 to 2.00) (drf)" in row


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1234"), (99.95, "100.0"), (12.34, "12.3"), (0.123, "0.12")]
)
def test_numbers_have_the_digits_that_count(value, text):
    assert report.number(value) == text


def test_a_comparison_has_what_both_results_have():
    before = report.as_result([Measured(figure=LESS, ours=[20.0])], [])
    now = report.as_result([Measured(figure=LESS, ours=[30.0]), Measured(figure=MORE)], [])

    lines = report.comparison(before, now).splitlines()

    assert len(lines) == 3
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["wait", "20.0", "30.0", "+50 %"]


def test_a_result_is_json():
    latency = Latency("ours", 1, 10.0, 80.0, 90.0, 100.0)

    written = json.loads(json.dumps(report.as_result([Measured(figure=MORE)], [latency])))

    assert written["figures"]["more"]["outcome"] == "-"
    assert written["latencies"][0]["p99"] == 100.0


def test_the_last_committed_results_are_found(tmp_path):
    def git(*words: str) -> None:
        subprocess.run([GIT, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    assert report.last_committed(tmp_path) is None
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    for day in ("2026-01-02", "2026-01-10"):
        (folder / f"{day}-2-cores.json").write_text(json.dumps({"date": day}))
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-m", "x")
    (folder / "2026-02-01-2-cores.json").write_text("not committed")

    assert report.last_committed(tmp_path) == ("2026-01-10-2-cores.json", {"date": "2026-01-10"})

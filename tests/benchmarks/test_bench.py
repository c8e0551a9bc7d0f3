"""The whole bench, as small as it gets: this server and the floor, never a speed."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.processes import ProgramFailed
from benchmarks.settings import Settings

TINY = Settings(
    pairs=1,
    seconds=0.4,
    warm_up=0.1,
    people=8,
    wechat_milliseconds=5,
    workers=1,
    connections=4,
    door_connections=2,
    in_flight=(2,),
    groups=("returning", "new", "latency", "in-flight", "doors"),
)


@pytest.mark.postgresql
def test_the_bench_measures_this_server_and_the_floor(capsys):
    with command.session(TINY) as opened:
        measured, found, failures = command.measure(opened)
        result = json.loads(json.dumps(command.result_of(opened, measured, found)))

    assert failures == []
    rows = report.table(measured).splitlines()[2:]
    titles = [row.split("|")[1].partition("[")[0].strip() for row in rows]
    assert titles == [
        "returning logins",
        "server CPU per returning login",
        "PostgreSQL's CPU per returning login",
        "new people",
        "p99 at half of the maximum, without WeChat",
        "website: to WeChat and back",
        "whole way to tokens",
        "refresh",
        "userinfo",
        "introspection",
        "client credentials",
    ]
    assert all(len(one.ours) == 1 for one in measured)
    assert all(len(one.other) == 1 for one in measured[:5])
    assert [(one.name, one.in_flight) for one in found] == [("ours", 2), ("floor", 2)]
    assert {"date", "machine", "versions", "settings", "figures", "latencies"} == set(result)
    assert result["settings"]["people"] == 8
    assert set(result["figures"]["returning"]) >= {"ours", "others", "value", "must", "outcome"}
    assert "returning" in capsys.readouterr().err


@pytest.mark.once
def test_a_group_that_fails_leaves_the_figures_of_the_others(monkeypatch):
    def fail(session):
        yield "before"
        raise ProgramFailed("It fell over.")

    groups = {"returning": fail, "new": lambda _: ["new"]}
    monkeypatch.setattr(command, "GROUPS", groups)
    opened = SimpleNamespace(settings=replace(TINY, groups=tuple(groups)))

    measured, found, failures = command.measure(opened)

    assert (measured, found) == (["before", "new"], [])
    assert failures == ["returning failed. It fell over."]

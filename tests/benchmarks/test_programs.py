"""How the measured programs are started, and what the bench reads of a machine."""

import importlib
import os
from pathlib import Path

import pytest
from django.test import override_settings

from benchmarks.database import Database, given_server, read_waldump
from benchmarks.machine import machine, versions
from benchmarks.processes import bare_environment, tree
from benchmarks.profiling import room_of
from benchmarks.programs import granian
from benchmarks.settings import GROUPS, read_arguments
from config.wiring.server import granian_command

pytestmark = pytest.mark.once

WALDUMP = """WAL statistics between 0/1000028 and 0/2000000:
Type                         N      (%)   Record size      (%)      FPI size      (%)
----                         -      ---   -----------      ---      --------      ---
Transaction/COMMIT          12 (  6.00)           408 (  2.10)             0 (  0.00)
Heap/INSERT                188 ( 94.00)         19000 ( 97.90)          8192 (100.00)
                      --------                --------              --------
Total                      200                  19408 [70.32%]          8192 [29.68%]
"""


def test_the_others_are_served_as_this_server_is():
    with override_settings(BIND="127.0.0.1:8123"):
        ours = granian_command(workers=3)

    assert granian(ours[0], ours[3], 8123, 3) == ours


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        (
            "postgres://u:p%40@db.example.com:5433/x",
            {"DATABASE_URL": "postgres://u:p%40@db.example.com:5433/new"},
        ),
        (
            "postgres://u@:5432//run/a/x",
            {"DATABASE_URL": "postgres://u@:5432/new", "PGHOST": "/run/a"},
        ),
    ],
)
def test_programs_find_their_database_on_the_given_server(url, environment):
    server = given_server(url)

    assert server.maintenance == "x"
    assert Database(server=server, name="new").environment == environment


def test_sqlite_is_refused():
    with pytest.raises(ValueError, match="need PostgreSQL"):
        given_server("sqlite:///x")


def test_the_table_of_pg_waldump_is_read():
    assert read_waldump(WALDUMP) == [
        ("Transaction/COMMIT", 12, 408, 0),
        ("Heap/INSERT", 188, 19000, 8192),
    ]


def test_a_result_names_no_host_and_no_path():
    text = f"{machine()} {versions('15.18')}"

    assert os.uname().nodename not in text
    assert str(Path.cwd()) not in text


def test_programs_get_no_settings_of_the_caller():
    assert "SECRET_KEY" in os.environ
    assert "SECRET_KEY" not in bare_environment()


def test_a_process_is_in_its_own_tree():
    assert os.getpid() in {process.pid for process in tree(os.getpid())}


@pytest.mark.parametrize(
    ("module", "room"),
    [
        ("accounts.login.rules", "accounts/login/rules"),
        ("applications.offers", "applications/offers"),
        ("accounts.login", "accounts/login"),
        ("django.db.models.query", "django.db.models"),
        ("django.http.request", "django.http"),
        ("urllib3.connectionpool", "requests"),
        ("json.decoder", "Python: json"),
        ("secrets", "Python: secrets"),
    ],
)
def test_a_file_belongs_to_a_room(module, room):
    assert room_of(importlib.import_module(module).__file__) == room


def test_code_without_a_file_is_pythons():
    assert room_of("<frozen importlib._bootstrap>") == "Python"


def test_options_choose_groups():
    settings, _options = read_arguments(["--only", "new,wal", "--quick"])

    assert [group for group in GROUPS if settings.has(group)] == ["new", "wal"]
    assert not read_arguments([])[0].has("memory")
    assert read_arguments(["--long"])[0].has("memory")


def test_an_unknown_group_is_refused(capsys):
    with pytest.raises(SystemExit):
        read_arguments(["--only", "logins"])
    assert "choose from returning" in capsys.readouterr().err

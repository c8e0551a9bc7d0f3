"""``make run`` on a machine that never saw it: what it prints works, and a second run goes on."""

import json
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.end_to_end.processes import ROOT, bare_environment, free_port, start, stop


class Look:
    """A folder in which the server is started, and what it printed the last time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = bare_environment() | {
            "RUN_DIR": str(folder / "run"),
            "PORT": str(self.port),
        }
        self.log = folder / "log"

    @contextmanager
    def running(self) -> Iterator[str]:
        self.log.write_text("")
        process = start("config.run", self.environment, f"http://127.0.0.1:{self.port}", self.log)
        try:
            yield self.log.read_text()
        finally:
            stop(process)


@pytest.fixture
def look(tmp_path: Path) -> Look:
    return Look(tmp_path)


def follow(printed: str) -> dict[str, Any]:
    """Do what the printed curl lines do."""
    phone, login = re.findall(r"curl -s (?:-X POST )?'?(http[^' ]+)", printed)
    body = re.search(r"-d '(.+)'$", printed, re.MULTILINE)
    assert body is not None
    code = requests.post(phone, timeout=20).text.split('"')[7]
    answer = requests.post(
        login,
        data=body[1].replace("'$CODE'", code),
        headers={"Content-Type": "application/json"},
        timeout=20,
    )
    return dict(answer.json())


def test_the_printed_lines_log_a_sandbox_person_in_and_a_second_run_knows_her(look: Look) -> None:
    with look.running() as printed:
        first = follow(printed)
    with look.running() as printed:
        second = follow(printed)

    assert first["created"] is True
    assert second["created"] is False
    assert second["user"]["sub"] == first["user"]["sub"]


def test_its_secrets_are_for_this_user_alone(look: Look) -> None:
    with look.running() as printed:
        pass

    secrets = look.folder / "run" / "environment.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(secrets.parent.stat().st_mode) == 0o700
    for value in json.loads(secrets.read_text()).values():
        assert value not in printed


def test_a_taken_port_is_refused_with_a_way_out(look: Look) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", look.port))
        taken.listen()
        tried = subprocess.run(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env=look.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert tried.returncode != 0
    assert f"make run PORT={look.port + 1}" in tried.stderr
    assert "Traceback" not in tried.stderr

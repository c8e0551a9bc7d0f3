"""The programs that are measured, each with a database of its own: this server, the floor, peers.

A program says by JSON what the scenarios need at it (README.md); this server's is `OURS`.
"""

import json
import os
import secrets
import shutil
import socket
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.database import Database
from benchmarks.processes import ROOT, ProgramFailed, Running, bare_environment, run
from config.wiring.server import THREADS_PER_WORKER

PEERS = ROOT / "benchmarks" / "peers"
MINI_APP_ID, SITE_APP_ID = "wx00000000000000a1", "wx00000000000000a2"
APP_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of an app that doesn't exist
CLIENT_SECRET = "the-secret-of-an-application-of-the-benchmarks"  # noqa: S105
REDIRECT_URI = "http://127.0.0.1:9/callback"
VERIFIER = "a-verifier-of-at-least-43-characters.and_some~more"
Needs = dict[str, dict[str, Any]]

MANIFEST = f"""
user_pools:
  - identifier: bench
    name: Bench
    identity_sources:
      - identifier: bench-mini
        type: wechat_mini_program
        display_name: Bench mini program
        app_id: {MINI_APP_ID}
        app_secret: {APP_SECRET}
      - identifier: bench-site
        type: wechat_website
        display_name: Bench website
        app_id: {SITE_APP_ID}
        app_secret: {APP_SECRET}
    applications:
      - client_id: bench-shop
        name: Bench shop
        type: mini_program
        login_methods: [bench-mini]
      - client_id: bench-web
        name: Bench web
        type: web
        client_secret: {CLIENT_SECRET}
        redirect_uris: ["{REDIRECT_URI}"]
        login_methods: [bench-site]
      - client_id: bench-machine
        name: Bench machine
        type: machine
        client_secret: {CLIENT_SECRET}
"""


def _basic(client_id: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{client_id}:{CLIENT_SECRET}'.encode()).decode()}"}


def _start() -> str:
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    fields = {
        "client_id": "bench-web",
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid profile offline_access",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"/oidc/bench/authorize?{urlencode(fields)}"


_TOKEN = "/oidc/bench/token"  # noqa: S105 - an address
_WEBSITE = {
    "start": _start(),
    "arrival": REDIRECT_URI,
    "link": r'href="(/login/[^"]*/wechat/[^"]+)"',
}
_EXCHANGE = {
    "grant_type": "authorization_code",
    "redirect_uri": REDIRECT_URI,
    "code_verifier": VERIFIER,
}
OURS: Needs = {
    "login": {"path": "/api/v1/login/wechat-mini-program", "fields": {"client_id": "bench-shop"}},
    "website": _WEBSITE,
    "tokens": _WEBSITE
    | {"token": {"path": _TOKEN, "headers": _basic("bench-web"), "fields": _EXCHANGE}},
    "refresh": {
        "path": _TOKEN,
        "headers": _basic("bench-web"),
        "fields": {"grant_type": "refresh_token"},
    },
    "userinfo": {"path": "/oidc/bench/userinfo"},
    "introspection": {"path": "/oidc/bench/introspect", "headers": _basic("bench-web")},
    "client_credentials": {
        "path": _TOKEN,
        "headers": _basic("bench-machine"),
        "fields": {"grant_type": "client_credentials"},
    },
}
FLOOR: Needs = {"login": {"path": "/login", "fields": {}}}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that is ready to be started: what it is called, needs and is started with."""

    name: str
    needs: Needs
    environment: dict[str, str]
    command: list[str]
    folder: Path = ROOT
    ready: str = "/healthz"
    """the path that answers 200 as soon as it can serve"""

    @property
    def url(self) -> str:
        """Where it is served."""
        return self.environment["PUBLIC_URL"]

    @contextmanager
    def running(self, logs: Path) -> Iterator[Running]:
        """Serve until the block ends."""
        log = logs / f"{self.name}-{secrets.token_hex(4)}.log"
        server = Running(self.command, self.environment, log, self.folder)
        try:
            server.wait_for(self.url + self.ready)
            yield server
        finally:
            server.stop()


def granian(python: str, application: str, port: int, workers: int) -> list[str]:
    """Return the command line of ``config.wiring.server``, for another application."""
    # fmt: off
    return [
        python, "-m", "granian", application,
        "--interface", "wsgi",
        "--host", "127.0.0.1",
        "--port", str(port),
        "--workers", str(workers),
        "--blocking-threads", str(THREADS_PER_WORKER),
        "--respawn-failed-workers",
        "--respawn-interval", "1",
        "--workers-kill-timeout", "15",
        "--no-ws",
        "--log-level", "error",
    ]
    # fmt: on


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def secrets_of_server() -> dict[str, str]:
    """Return the two secrets that this server can't start without."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def _environment(database: Database, wechat_url: str, port: int) -> dict[str, str]:
    return (
        bare_environment()
        | database.environment
        | {
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "WECHAT_API_URL": wechat_url,
        }
    )


def ours(database: Database, wechat_url: str, *, workers: int, scratch: Path) -> Program:
    """Make this server's tables, pool and applications."""
    port = free_port()
    environment = (
        _environment(database, wechat_url, port)
        | secrets_of_server()
        | {
            "BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": str(workers),
        }
    )
    manifest = scratch / "bench.yaml"
    manifest.write_text(MANIFEST)
    run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
    run([sys.executable, "manage.py", "apply", str(manifest)], environment)
    return _ours(environment)


def ours_again(program: Program, **settings: str) -> Program:
    """Return the same server on the same database, with other settings and another port."""
    port = free_port()
    address = {"BIND": f"127.0.0.1:{port}", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return _ours(program.environment | address | settings)


def _ours(environment: dict[str, str]) -> Program:
    command = [sys.executable, "-m", "config.serve"]
    return Program(
        name="ours", needs=OURS, environment=environment, command=command, ready="/readyz"
    )


def floor(database: Database, wechat_url: str, *, workers: int) -> Program:
    """Make the floor's tables."""
    port = free_port()
    environment = _environment(database, wechat_url, port) | {
        "FLOOR_APP": MINI_APP_ID,
        "FLOOR_SECRET": APP_SECRET,
    }
    run([sys.executable, "-m", "benchmarks.floor"], environment)
    command = granian(sys.executable, "benchmarks.floor:application", port, workers)
    return Program(name="floor", needs=FLOOR, environment=environment, command=command)


def peer_folders() -> list[Path]:
    """Return the peers' folders."""
    return sorted(path.parent for path in PEERS.glob("*/app.py"))


def peer(folder: Path, database: Database, wechat_url: str, *, workers: int) -> Program:
    """Have a peer make its tables and clients.

    Raises:
        ProgramFailed: the peers aren't installed, or this one failed.

    """
    python = os.environ.get("PEERS_PYTHON", str(PEERS / ".venv" / "bin" / "python"))
    port = free_port()
    environment = _environment(database, wechat_url, port) | {
        "WECHAT_APP_ID": SITE_APP_ID,
        "WECHAT_APP_SECRET": APP_SECRET,
        "REDIRECT_URI": REDIRECT_URI,
    }
    if not Path(python).exists():
        raise ProgramFailed("The peers aren't installed: make peers")
    answer = run([python, "app.py", "setup"], environment, folder)
    needs: Needs = json.loads(answer.strip().splitlines()[-1])
    command = granian(python, "app:application", port, workers)
    return Program(
        name=folder.name, needs=needs, environment=environment, command=command, folder=folder
    )


@contextmanager
def wechat(milliseconds: float, logs: Path) -> Iterator[str]:
    """Start the emulator of WeChat; yield its address."""
    log = logs / f"wechat-{secrets.token_hex(4)}.log"
    command = [sys.executable, "-m", "benchmarks.emulator", str(milliseconds)]
    emulator = Running(command, bare_environment(), log)
    try:
        yield emulator.first_line()
    finally:
        emulator.stop()


@contextmanager
def redis(given: str, logs: Path) -> Iterator[str]:
    """Yield the address of the given Redis, or of one that is started; empty if there is none."""
    program = shutil.which("redis-server")
    if given or program is None:
        yield given
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = Running(command, bare_environment(), logs / f"redis-{secrets.token_hex(4)}.log")
    try:
        server.wait_for_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.stop()

"""``make serve`` as an operator starts it, with a database of its own and a program for WeChat."""

import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from tests.support import fake_wechat
from tests.support.fake_wechat import FakeWeChat
from tests.support.processes import ROOT, bare_environment, free_port

MANIFEST = f"""
user_pools:
  - identifier: acme
    name: Acme
    identity_sources:
      - identifier: acme-mini
        type: wechat_mini_program
        display_name: Acme mini program
        app_id: {fake_wechat.APP_ID}
        app_secret: {{env: ACME_MINI_SECRET}}
      - identifier: acme-closed
        type: wechat_mini_program
        display_name: Acme for members
        app_id: wx0123456789abcdef
        app_secret: {{env: ACME_MINI_SECRET}}
        registration: closed
    applications:
      - client_id: acme-shop
        name: Acme shop
        type: mini_program
        login_methods: [acme-mini]
      - client_id: acme-members
        name: Acme members
        type: mini_program
        login_methods: [acme-closed]
"""


@dataclass
class Server:
    """A running server and how to talk to it."""

    process: subprocess.Popen[bytes]
    url: str
    environment: dict[str, str]
    wechat: FakeWeChat

    def log_in(self, code: str, **fields: Any) -> requests.Response:
        return requests.post(
            f"{self.url}/api/v1/login/wechat-mini-program",
            json={"client_id": "acme-shop", "code": code} | fields,
            timeout=20,
        )

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=20)


def assert_no_secret_in(text: str) -> None:
    for secret in (
        fake_wechat.APP_SECRET,
        fake_wechat.SESSION_KEY,
        "ACCESS_TOKEN_OF_THE_APPLICATION",
        "alice-1",
        "err40029-1",
    ):
        assert secret not in text


def new_environment(wechat_url: str, folder: Path) -> dict[str, str]:
    port = free_port()
    return bare_environment() | {
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "ENCRYPTION_KEYS": os.environ["ENCRYPTION_KEYS"],
        "BIND": f"127.0.0.1:{port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "WEB_CONCURRENCY": "2",
        "DATABASE_URL": _new_database(folder),
        "WECHAT_API_URL": wechat_url,
        "WECHAT_TIMEOUT_SECONDS": "2",
        "ACME_MINI_SECRET": fake_wechat.APP_SECRET,
    }


def _new_database(folder: Path) -> str:
    url = os.environ["DATABASE_URL"]
    if not url.startswith("postgres"):
        return f"sqlite:///{folder / 'serve.sqlite3'}"
    name = f"serve_{uuid.uuid4().hex}"
    on_server(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"


def drop_database(url: str) -> None:
    if url.startswith("postgres"):
        name = url.rpartition("/")[2]
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        for _attempt in range(10):
            # Autovacuum may be at work in it for a moment, which only a superuser may end.
            with suppress(psycopg.errors.InsufficientPrivilege):
                on_server(os.environ["DATABASE_URL"], drop)
                return
            time.sleep(0.5)
        on_server(os.environ["DATABASE_URL"], drop)


def on_server(url: str, statement: sql.Composed) -> None:
    # The URL may have a socket's folder as its path, as django-environ expects it.
    head, _, name = url.rpartition("/")
    authority, _, folder = head.partition("://")[2].partition("/")
    user, _, host = authority.rpartition("@")
    arguments = {"dbname": name, "user": user.partition(":")[0], "password": user.partition(":")[2]}
    address = {"host": f"/{folder}" if folder else host.partition(":")[0]}
    address["port"] = host.partition(":")[2] or "5432"
    given = {key: value for key, value in (arguments | address).items() if value}
    with psycopg.connect(**given, autocommit=True) as connection:
        connection.execute(statement)


def manage(environment: dict[str, str], *words: str) -> None:
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)

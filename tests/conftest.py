"""People, pools, clients and the settings of every test.

Acme is the pool under test: Alice and Bob are people of the sandbox who log in there. Globex is
the other pool, Mallory's: every test of an object checks that Globex can't reach it.
"""

import gc
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection, connections
from django.http import HttpResponse
from django.utils import timezone, translation
from pytest_django import Settings
from time_machine import TimeMachineFixture

from accounts.login.throttles import FullCounters
from config.kernel.memory import forget_configuration
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient, signed_in
from tests.support.tenants import Tenant, make_tenant


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, on SQLite, the tests about PostgreSQL and those that were run there already."""
    if connection.vendor == "postgresql":
        return
    elsewhere = [
        item
        for item in items
        if item.get_closest_marker("postgresql") or item.get_closest_marker("once")
    ]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


def pytest_collection_finish() -> None:
    """Collect garbage less often, and not the objects of the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 100)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the skipped tests."""
    for report in terminalreporter.getreports("skipped"):
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {report.longrepr[2]}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of continuous integration that skipped anything."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.getreports("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Make the test database a file where ``DATABASE_URL`` names one, so that threads share it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite" and database["NAME"] != ":memory:":
        folder = tmp_path_factory.mktemp("database")
        database["TEST"]["NAME"] = str(folder / "unionpass.sqlite3")


@pytest.fixture(autouse=True)
def shared_caches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use an empty cache in this process; tests of the database cache have their own fixture."""
    monkeypatch.setattr("accounts.login.throttles.full_counters", FullCounters())
    settings.CACHES = {
        alias: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": alias}
        for alias in ("default", "sandbox")
    }
    yield
    for alias in ("default", "sandbox"):
        caches[alias].clear()


@pytest.fixture(autouse=True)
def no_configuration_from_before() -> None:
    """Read configuration anew: that of the test before is gone."""
    forget_configuration()


@pytest.fixture
def client() -> GuardedClient:
    return GuardedClient()


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Use static files by their plain names; only a started server collects and hashes them.

    If a server of the tests has collected them, whitenoise would scan them for each test's client.
    """
    settings.STATIC_ROOT = None
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Reset the language after each test."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hash operators' passwords fast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def admin_client(acme: Tenant) -> GuardedClient:
    """Ada's browser: she is an administrator of Acme, and of nothing else."""
    return signed_in(builders.make_operator("ada", acme.pool))


@pytest.fixture
def viewer_client(acme: Tenant) -> GuardedClient:
    """Vic's browser: he is a viewer of Acme."""
    return signed_in(builders.make_operator("vic", acme.pool, role="viewer"))


@pytest.fixture
def stranger_client(acme: Tenant, globex: Tenant) -> GuardedClient:
    """Mallory's browser: she is an administrator of Globex, without a role in Acme."""
    return signed_in(builders.make_operator("mallory", globex.pool))


@pytest.fixture
def superuser_client(db: None) -> GuardedClient:
    """Sue's browser: she is an operator of every pool."""
    return signed_in(builders.make_operator("sue", is_superuser=True))


@pytest.fixture
def frozen_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock: whatever is counted by the minute, hour or day falls into the same one."""
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def acme(db: None, request: pytest.FixtureRequest) -> Tenant:
    return make_tenant("acme", builders.MINI_APP_ID, rsa=_needs_rsa(request))


@pytest.fixture
def globex(db: None, request: pytest.FixtureRequest) -> Tenant:
    return make_tenant("globex", builders.SECOND_MINI_APP_ID, rsa=_needs_rsa(request))


def _needs_rsa(request: pytest.FixtureRequest) -> bool:
    # OpenSSL checks an RSA key for 50 ms, at the first login of every pool.
    return request.node.get_closest_marker("rsa") is not None


@pytest.fixture
def log_in(client: GuardedClient) -> Callable[..., HttpResponse]:
    """Post to the mini program's login endpoint; by default a new code of Alice, for Acme."""

    def post(person: str = "alice", **fields: Any) -> HttpResponse:
        body = {"client_id": "acme-shop", "code": builders.wx_login(person)} | fields
        body = {name: value for name, value in body.items() if value is not None}
        return client.post(LOGIN_URL, body, content_type="application/json")

    return post


@pytest.fixture
def threaded_database(transactional_db: None) -> None:
    """A database that many threads may use concurrently."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("An SQLite in memory serves one thread: DATABASE_URL=sqlite:////path/to/file.")


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Call a function for each of several arguments at the same time, each in its own thread."""

    def run(work: Callable[[Any], Any], things: list[Any]) -> list[Any]:
        start = Barrier(len(things), timeout=30)

        def one(thing: Any) -> Any:
            start.wait()
            with _own_connections():
                return work(thing)

        with ThreadPoolExecutor(len(things)) as pool:
            return list(pool.map(one, things))

    return run


@contextmanager
def _own_connections() -> Iterator[None]:
    try:
        yield
    finally:
        connections.close_all()

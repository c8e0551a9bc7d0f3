"""Third-party clients, against ``config.serve`` with the sandbox, in one browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import BrowserThread
from tests.browser.clients.authlib_client import AuthlibClient
from tests.browser.clients.client import Client, Connect
from tests.browser.clients.listener import Listener, listening
from tests.browser.clients.openid_client import MISSING, MODULES, OpenIDClient, Program, running
from tests.browser.clients.registrations import POOL, Registration, manifest
from tests.browser.windows import Windows
from tests.support.processes import start, stop
from tests.support.serving import drop_database, manage, new_environment

NO_WECHAT = "http://127.0.0.1:9"


@pytest.fixture(scope="session")
def applications() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def listener(applications: Listener) -> Listener:
    """The applications' server, without any request yet."""
    applications.forget()
    return applications


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory, applications: Listener) -> Iterator[str]:
    """The URL of the server for the clients."""
    folder = tmp_path_factory.mktemp("clients")
    environment = new_environment(NO_WECHAT, folder)
    environment |= {"WECHAT_SANDBOX": "on", "WEB_CONCURRENCY": "1"}
    applied = folder / "acme.yaml"
    applied.write_text(manifest(applications.origin))
    manage(environment, "migrate", "--verbosity", "0")
    manage(environment, "apply", str(applied))
    process = start("config.serve", environment, environment["PUBLIC_URL"], folder / "log")
    try:
        yield environment["PUBLIC_URL"]
    finally:
        stop(process)
        drop_database(environment["DATABASE_URL"])


@pytest.fixture(scope="session")
def issuer(origin: str) -> str:
    return f"{origin}/oidc/{POOL}"


@pytest.fixture(scope="session")
def node() -> Iterator[Program]:
    if not MODULES.is_dir():
        pytest.fail(MISSING)
    with running() as program:
        yield program


@pytest.fixture
def connect(issuer: str, node: Program) -> Connect:
    """Set up a client, of either library, for one of the applications."""

    def make(library: str, registration: Registration) -> Client:
        if library == "authlib":
            return AuthlibClient(issuer, registration)
        return OpenIDClient(node, issuer, registration)

    return make


@pytest.fixture(params=["authlib", "openid-client"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browse(
    browser: Browser,
    browser_thread: BrowserThread,
    origin: str,
    listener: Listener,
    tmp_path: Path,
) -> Iterator[Windows]:
    """Opens windows without a session, which may also open the applications."""
    windows = Windows(browser, origin, listener.origin)
    yield windows
    browser_thread.run(windows.close)

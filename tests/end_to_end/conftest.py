"""The server of the tests of ``make serve``."""

from collections.abc import Iterator

import pytest

from tests.support.fake_wechat import FakeWeChat
from tests.support.processes import start, stop
from tests.support.serving import (
    MANIFEST,
    Server,
    assert_no_secret_in,
    drop_database,
    manage,
    new_environment,
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    with FakeWeChat() as wechat:
        environment = new_environment(wechat.url, folder)
        manage(environment, "migrate", "--verbosity", "0")
        manifest = folder / "acme.yaml"
        manifest.write_text(MANIFEST)
        manage(environment, "apply", str(manifest))
        process = start("config.serve", environment, environment["PUBLIC_URL"], folder / "log")
        try:
            yield Server(process, environment["PUBLIC_URL"], environment, wechat)
        finally:
            stop(process)
            drop_database(environment["DATABASE_URL"])
    assert_no_secret_in((folder / "log").read_text())

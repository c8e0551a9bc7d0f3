"""What npm installs for these tests."""

import json

import pytest

from tests.browser.clients.openid_client import HERE

pytestmark = pytest.mark.once


def test_the_lock_has_hashes_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]

    assert {"openid-client", "jose"} <= set(lock["packages"][""]["dependencies"])
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert [package for package in packages if "resolved" in package] == []

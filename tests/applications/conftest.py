"""An operator at the command line, for the tests of manifests and of the console's changes."""

from pathlib import Path

import pytest

from tests.support.manifests import SECRETS, Operator


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    operator = Operator(tmp_path, monkeypatch)
    operator.set(**SECRETS)
    return operator

import pytest

from applications.models import Application
from identity_sources.models import IdentitySource
from userpools.models import UserPool


@pytest.fixture
def acme(db, operator):
    """The pool acme, created by `apply`."""
    operator.apply()
    return UserPool.objects.get(identifier="acme")


@pytest.fixture
def mini(acme):
    return IdentitySource.objects.get(identifier="acme-mini")


@pytest.fixture
def web(acme):
    return Application.objects.get(client_id="acme-web")

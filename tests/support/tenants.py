"""Acme and Globex, the two pools of the tests."""

from dataclasses import dataclass

from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from tests.support import builders
from userpools.models import UserPool


@dataclass(frozen=True)
class Tenant:
    """A pool with one mini program source, and an application that offers it."""

    pool: UserPool
    source: IdentitySource
    application: Application
    method: LoginMethod


def make_tenant(identifier: str, app_id: str, *, rsa: bool = False) -> Tenant:
    pool = builders.make_pool(identifier, rsa=rsa)
    source = builders.make_source(pool, app_id=app_id)
    application = builders.make_application(pool)
    return Tenant(pool, source, application, builders.offer(application, source))

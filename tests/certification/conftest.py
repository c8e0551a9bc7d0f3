"""The suite's client, registered at Acme as the suite's instructions ask for."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from tests.certification.relying_party import RelyingParty
from tests.support import builders
from tests.support.tenants import Tenant
from tests.support.website import WEB_URI, Site, make_site


@pytest.fixture
def site(acme: Tenant) -> Site:
    """Acme's website login; its web application has RS256, as every provider must (Core §15.1)."""
    site = make_site(acme.pool)
    site.web.signing_algorithm = "RS256"
    site.web.save()
    return site


@pytest.fixture
def party(site: Site) -> RelyingParty:
    """The suite, with a browser without a login."""
    return RelyingParty(
        issuer=site.pool.issuer,
        client_id=site.web.client_id,
        client_secret=builders.CLIENT_SECRET,
        redirect_uri=WEB_URI,
    )


@pytest.fixture
def full_profile() -> Callable[[], None]:
    """Give every user values for the claims of all scopes."""

    def fill() -> None:
        User.objects.update(
            nickname="Alice",
            avatar_url="https://cdn.example.com/alice.png",
            email="alice@example.com",
            email_verified_at=timezone.now(),
            phone_number="+8613800138000",
            phone_number_verified_at=timezone.now(),
        )

    return fill


@pytest.fixture
def after() -> Callable[[float], time_machine.travel]:
    """Move the clock some seconds ahead."""

    def travel(seconds: float) -> time_machine.travel:
        return time_machine.travel(timezone.now() + timedelta(seconds=seconds))

    return travel

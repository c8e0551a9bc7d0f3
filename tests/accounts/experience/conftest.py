"""The experience page in a browser: pressing its buttons, and the result."""

from collections.abc import Callable

import pytest

from accounts.experience.visitors import share
from applications.models import LoginMethod
from tests.accounts.experience.browsing import SECOND_SITE_APP_ID
from tests.accounts.experience.mini_program_page import PAGE
from tests.support import builders
from tests.support.tenants import Tenant
from tests.support.website import Site


@pytest.fixture
def shared_page(acme: Tenant) -> str:
    """The page's address as an administrator shares it."""
    return f"{PAGE}?share={share(acme.application)}"


@pytest.fixture
def shared() -> Callable[[str], str]:
    """Return the page's address with this value as the share."""
    return lambda word: f"{PAGE}?share={word}"


@pytest.fixture
def method(site: Site) -> LoginMethod:
    """The login method of acme-web."""
    return site.web.login_methods.get()


@pytest.fixture
def shared_site(site: Site) -> str:
    """The page's address as an administrator shares it."""
    return f"/experience/acme-web?share={share(site.web)}"


@pytest.fixture
def second(site: Site) -> LoginMethod:
    """A second website, offered after the first."""
    source = builders.make_source(
        site.pool,
        identifier="acme-second",
        type="wechat_website",
        app_id=SECOND_SITE_APP_ID,
        display_name="Second site",
    )
    return builders.offer(site.web, source, position=1)


@pytest.fixture
def live_method(site: Site) -> LoginMethod:
    """A live website, offered after the sandbox's."""
    source = builders.make_source(
        site.pool,
        identifier="acme-live",
        type="wechat_website",
        app_id=builders.LIVE_APP_ID,
        mode="live",
        display_name="The real site",
    )
    return builders.offer(site.web, source, position=1)

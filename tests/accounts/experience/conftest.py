"""The experience page as a browser has it: presses of its buttons, and what was shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.experience.access import share
from tests.conftest import GuardedClient, Tenant

PAGE = "/experience/acme-shop"


def press(client: GuardedClient, person: str | None = "alice", **fields: Any) -> HttpResponse:
    """Press a person's button; ``page``, ``headers`` and the form's fields may be others."""
    page, headers = fields.pop("page", PAGE), fields.pop("headers", None)
    filled = {"identity_source": "acme-mini", "person": person} | fields
    filled = {name: value for name, value in filled.items() if value is not None}
    return client.post(page, filled, headers=headers)


def paste(client: GuardedClient, code: str, **fields: Any) -> HttpResponse:
    """Paste a real code for the live source, and press its button."""
    return press(client, None, code=code, **{"identity_source": "acme-live"} | fields)


@pytest.fixture
def shared_page(acme: Tenant) -> str:
    """The page's address as an administrator shares it."""
    return f"{PAGE}?share={share(acme.application)}"


@pytest.fixture
def shared() -> Callable[[str], str]:
    """Return the page's address with this word for a share."""
    return lambda word: f"{PAGE}?share={word}"

"""The experience page of a mini program, and presses of its buttons."""

from typing import Any

from django.http import HttpResponse

from tests.support.client import GuardedClient

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

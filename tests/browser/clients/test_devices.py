"""A device without a browser is let in, or kept out, by a person at another screen."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.browser.clients import registrations
from tests.browser.clients.client import Connect, Refusal
from tests.browser.clients.people import DECIDED, let_in, scan_and_confirm
from tests.browser.windows import Windows

# What the endpoints do with a database is tested on both, in tests/accounts/oidc.
pytestmark = pytest.mark.once


def test_a_device_is_logged_in_by_the_code_that_it_shows(
    browse: Windows, connect: Connect, library: str
) -> None:
    client, page = connect(library, registrations.NATIVE), browse()
    device = client.begin_device()

    with ThreadPoolExecutor(1) as elsewhere:
        polling = elsewhere.submit(client.finish_device, device)
        let_in(page, device)
        tokens = polling.result()

    assert client.userinfo(tokens)["sub"] == tokens["claims"]["sub"]
    assert client.refresh(tokens["refresh_token"])["claims"]["sub"] == tokens["claims"]["sub"]


def test_a_device_hears_that_it_is_kept_out(
    browse: Windows, connect: Connect, library: str
) -> None:
    client, page = connect(library, registrations.NATIVE), browse()
    device = client.begin_device()
    page.goto(device["verification_uri_complete"])
    page.get_by_role("button", name="Continue").click()
    scan_and_confirm(page)

    page.get_by_role("button", name="No, keep it out").click()
    expect(page.get_by_role("heading", name="The device was kept out")).to_be_visible()

    with pytest.raises(Refusal, match="access_denied"):
        client.finish_device(device | DECIDED)

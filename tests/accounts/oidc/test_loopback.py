"""A native application that listens on a port which the system gave it (RFC 8252 §7.3)."""

import pytest

from applications.models import RedirectURI
from tests.support.oidc import assert_refused, exchange
from tests.support.website import answered, authorize, confirm_in_wechat

REGISTERED = "http://127.0.0.1/callback"
LISTENING = "http://127.0.0.1:51004/callback"


@pytest.fixture
def code(site, client) -> str:
    """A code that was sent to the port."""
    RedirectURI.objects.create(application=site.native, uri=REGISTERED)
    page = authorize(client, "acme-native", redirect_uri=LISTENING)["Location"]
    response = confirm_in_wechat(client, page)
    assert response["Location"].startswith(f"{LISTENING}?code=")
    return answered(response)["code"]


@pytest.mark.parametrize("uri", [REGISTERED, "http://127.0.0.1:51005/callback"])
def test_the_code_is_good_for_the_port_that_was_named(code, uri):
    assert_refused(exchange(code, "acme-native", redirect_uri=uri), "invalid_grant")


def test_the_code_that_the_port_was_sent_gives_tokens(code):
    assert exchange(code, "acme-native", redirect_uri=LISTENING).status_code == 200


def test_the_registered_address_is_no_way_to_another_machine(site, client):
    RedirectURI.objects.create(application=site.native, uri=REGISTERED)
    elsewhere = "http://127.0.0.1:80@evil.example/callback"

    response = authorize(client, "acme-native", redirect_uri=elsewhere)

    assert response.status_code == 400
    assert "Location" not in response

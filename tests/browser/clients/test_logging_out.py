"""Clients end the login, come back to where they want, and are told when it ended elsewhere."""

from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from playwright.sync_api import expect

from tests.browser.clients import registrations
from tests.browser.clients.client import Connect, Refusal
from tests.browser.clients.listener import Listener
from tests.browser.clients.openid_client import OpenIDClient, Program
from tests.browser.clients.people import come_back, go_through
from tests.browser.windows import Windows

# What the endpoints do with a database is tested on both, in tests/accounts/oidc.
pytestmark = pytest.mark.once

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


def test_an_application_logs_the_person_out_and_has_them_back(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client, page = connect(library, registrations.WEB_BASIC), browse()
    tokens = client.finish(go_through(page, client, listener))

    page.goto(client.logout_url(tokens["id_token"], listener.logged_out, "over"))

    came_back = urlsplit(come_back(page, listener, "/logged-out").url)
    assert parse_qs(came_back.query) == {"state": ["over"]}
    page.goto(client.begin(listener.callback))
    expect(page.get_by_role("link", name="Log in with WeChat")).to_be_visible()
    with pytest.raises(Refusal, match="invalid_grant"):
        client.refresh(tokens["refresh_token"])


def test_an_application_is_told_when_another_one_logs_the_person_out(
    browse: Windows,
    connect: Connect,
    listener: Listener,
    library: str,
    issuer: str,
    node: Program,
) -> None:
    told, page = connect(library, registrations.WEB_BASIC), browse()
    claims = told.finish(go_through(page, told, listener))["claims"]
    other = connect(library, registrations.SPA)
    page.goto(other.begin(listener.callback))
    tokens = other.finish(come_back(page, listener))

    page.goto(other.logout_url(tokens["id_token"], listener.logged_out, "over"))

    token = listener.logout_token(claims["sid"])
    by_jose = OpenIDClient(node, issuer, registrations.WEB_BASIC).logout_token(token)
    for verified in (by_jose, verified_by_pyjwt(token, issuer)):
        assert verified["sub"] == claims["sub"]
        assert verified["events"] == {LOGOUT: {}}
        assert "nonce" not in verified


def verified_by_pyjwt(token: str, issuer: str) -> dict[str, object]:
    keys = jwt.PyJWKClient(f"{issuer}/jwks.json")
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256"],
        audience=registrations.WEB_BASIC.client_id,
        issuer=issuer,
    )

"""What the clients do with tokens once they have them, and tokens without a person."""

import pytest

from tests.browser.clients import registrations
from tests.browser.clients.client import Connect, Refusal
from tests.browser.clients.listener import Listener
from tests.browser.clients.people import go_through
from tests.browser.windows import Windows

# What the endpoints do with a database is tested on both, in tests/accounts/oidc.
pytestmark = pytest.mark.once


def test_tokens_are_refreshed_and_a_spent_refresh_token_ends_the_session(
    browse: Windows, connect: Connect, listener: Listener, library: str
) -> None:
    client = connect(library, registrations.SPA)
    first = client.finish(go_through(browse(), client, listener))

    second = client.refresh(first["refresh_token"])
    assert second["claims"]["sub"] == first["claims"]["sub"]
    assert second["claims"]["auth_time"] == first["claims"]["auth_time"]

    again = client.refresh(first["refresh_token"])
    assert again["refresh_token"] == second["refresh_token"]

    third = client.refresh(second["refresh_token"])
    with pytest.raises(Refusal, match="invalid_grant"):
        client.refresh(first["refresh_token"])
    with pytest.raises(Refusal, match="invalid_grant"):
        client.refresh(third["refresh_token"])


@pytest.mark.parametrize(
    "registration",
    [registrations.WEB_POST, registrations.WEB_KEY],
    ids=lambda registration: registration.authentication,
)
def test_a_token_is_active_until_it_is_given_up(
    browse: Windows,
    connect: Connect,
    listener: Listener,
    library: str,
    registration: registrations.Registration,
) -> None:
    client = connect(library, registration)
    tokens = client.finish(go_through(browse(), client, listener))
    names = ("access_token", "refresh_token")

    before = [client.introspect(tokens[name]) for name in names]
    client.revoke(tokens["refresh_token"])
    after = [client.introspect(tokens[name]) for name in names]

    assert [answer["active"] for answer in before] == [True, True]
    assert {answer["sub"] for answer in before} == {tokens["claims"]["sub"]}
    assert after == [{"active": False}, {"active": False}]


def test_a_machine_acts_for_itself(connect: Connect, library: str) -> None:
    client = connect(library, registrations.MACHINE)

    tokens = client.act_for_itself()

    assert client.introspect(tokens["access_token"])["sub"] == "acme-machine"
    client.revoke(tokens["access_token"])
    assert client.introspect(tokens["access_token"]) == {"active": False}

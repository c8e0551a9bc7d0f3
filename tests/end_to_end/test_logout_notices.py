"""``make serve`` tells an application of logouts, whoever wrote that down."""

import time
from collections.abc import Iterator

import jwt
import pytest
import requests

from tests.support.logout_receiver import Receiver, receiving
from tests.support.serving import Server, manage

PATIENCE_SECONDS = 30


@pytest.fixture
def receiver(server: Server) -> Iterator[Receiver]:
    """The shop's server, which asks to be told."""
    with receiving() as receiver:
        _ask_to_be_told(server, receiver.url)
        yield receiver
        _ask_to_be_told(server, "")


def _ask_to_be_told(server: Server, url: str) -> None:
    _run(
        server,
        "from applications.models import Application",
        f"Application.objects.filter(client_id='acme-shop').update(backchannel_logout_uri={url!r})",
    )


def _run(server: Server, *lines: str) -> None:
    """Run lines of Python in a process of their own, in which nothing is delivered."""
    manage(server.environment, "shell", "--no-imports", "--command", "\n".join(lines))


def _heard(server: Server, receiver: Receiver) -> dict[str, str]:
    """Wait for a logout token and verify it by discovery alone."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not receiver.heard and time.monotonic() < deadline:
        time.sleep(0.05)
    [token] = receiver.tokens
    metadata = server.get("/oidc/acme/.well-known/openid-configuration").json()
    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    claims: dict[str, str] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=metadata["id_token_signing_alg_values_supported"],
        audience="acme-shop",
        issuer=metadata["issuer"],
    )
    return claims


def _sid(answer: dict[str, str]) -> str:
    claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
    return str(claims["sid"])


def test_a_logout_is_told(server: Server, receiver: Receiver) -> None:
    answer = server.log_in("alice-logs-out-1").json()

    requests.post(
        f"{server.url}/api/v1/logout", json={"refresh_token": answer["refresh_token"]}, timeout=20
    ).raise_for_status()

    assert _heard(server, receiver)["sid"] == _sid(answer)


def test_what_another_process_wrote_is_told(server: Server, receiver: Receiver) -> None:
    """As after a stop: that process delivers nothing."""
    answer = server.log_in("bob-is-logged-out-1").json()

    _run(
        server,
        "from django.utils import timezone",
        "from accounts.models import Session",
        f"sessions = Session.objects.filter(pk={_sid(answer)!r})",
        "sessions.end(now=timezone.now(), reason='user_suspended')",
    )

    assert _heard(server, receiver)["sid"] == _sid(answer)

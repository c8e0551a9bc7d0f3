"""How far a reader goes who follows a request: the files it passes, and the moves between them.

``make walk`` prints them.
"""

import math

import pytest

from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.login_steps import come_back, open_login, set_out
from tests.support.oidc import exchange
from tests.support.walk import walk
from tests.support.website import authorization_code, authorize, log_in_by_browser

# The same code runs whatever the database.
pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def process_at_work(transactional_db, site, log_in, monkeypatch):
    """Let somebody log in both ways: the first login of a process reads configuration and keys."""
    monkeypatch.setattr("config.kernel.memory.FRESH_SECONDS", math.inf)
    log_in_by_browser(GuardedClient())
    assert log_in().status_code == 200


def test_a_new_persons_mini_program_login(client):
    body = {"client_id": "acme-shop", "code": builders.wx_login("bob")}

    taken, response = walk(lambda: client.post(LOGIN_URL, body, content_type="application/json"))

    assert response.json()["created"] is True
    print("\nA new person's mini program login:", taken)  # noqa: T201
    assert len(taken.files) <= 41
    assert taken.moves <= 200


def test_the_callback_from_wechat(client):
    back = set_out(client, open_login(client))

    taken, response = walk(lambda: come_back(client, back, "bob"))

    assert response["Location"].startswith("https://spa.example.com/callback?code=")
    print("\nThe callback from WeChat:", taken)  # noqa: T201
    assert len(taken.files) <= 45
    assert taken.moves <= 230


def test_the_authorization_endpoint(client):
    taken, response = walk(lambda: authorize(client))

    assert response["Location"].startswith("/login/acme/")
    print("\nThe authorization endpoint:", taken)  # noqa: T201
    assert len(taken.files) <= 22
    assert taken.moves <= 64


def test_the_token_endpoint():
    code = authorization_code()

    taken, response = walk(lambda: exchange(code))

    assert response.status_code == 200
    print("\nThe token endpoint:", taken)  # noqa: T201
    assert len(taken.files) <= 23
    assert taken.moves <= 105

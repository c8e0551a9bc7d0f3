"""The mini program's login door: what it answers a person who may come in."""

from unittest.mock import ANY

import pytest

from tests.support import builders
from tests.support.client import LOGIN_URL


def test_a_new_person_gets_tokens_and_an_account(acme, log_in):
    response = log_in("alice")

    assert response.status_code == 200
    assert response.json() == {
        "access_token": ANY,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": ANY,
        "id_token": ANY,
        "scope": "openid profile phone account offline_access",
        "user": {
            "sub": ANY,
            "nickname": None,
            "avatar_url": None,
            "phone_number": None,
            "phone_number_verified": False,
        },
        "created": True,
    }


def test_a_known_person_is_the_same_user_again(acme, log_in):
    first, second = log_in("alice").json(), log_in("alice").json()

    assert second["created"] is False
    assert second["user"]["sub"] == first["user"]["sub"]


@pytest.mark.parametrize("name", ["identity_source", "phone_code", "scope", "client_secret"])
@pytest.mark.parametrize("value", ["", None])
def test_an_optional_field_without_a_value_counts_as_absent(acme, client, log_in, name, value):
    """A mini program sends what its person declined as an empty text."""
    usual = log_in().json()
    body = {"client_id": "acme-shop", "code": builders.wx_login(), name: value}

    response = client.post(LOGIN_URL, body, content_type="application/json")

    assert response.status_code == 200
    assert response.json().keys() == usual.keys()
    assert response.json()["scope"] == usual["scope"]

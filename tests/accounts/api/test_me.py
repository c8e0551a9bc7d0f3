"""`/api/v1/me`: what a token's owner sees of themselves, and may change."""

from unittest.mock import ANY

import pytest
from django.utils import timezone

from accounts.models import User
from tests.support.oidc import bearer

ME = "/api/v1/me"
EVERYTHING = {
    "nickname": "爱丽",
    "avatar_url": "https://login.example.com/a.png",
    "phone_number": "+8613800138001",
}


@pytest.fixture
def alice(acme, log_in):
    """Alice's headers, with everything known of her."""
    answer = log_in("alice").json()
    User.objects.update(**EVERYTHING, phone_number_verified_at=timezone.now())
    return bearer(answer["access_token"])


@pytest.fixture
def change(client):
    def patch(headers, **fields):
        return client.patch(ME, fields, content_type="application/json", headers=headers)

    return patch


@pytest.mark.parametrize("method", ["get", "patch"])
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic YTpi"}, bearer(""), bearer("e30.e30.e30")]
)
def test_without_a_token_nothing_is_told(acme, client, method, headers):
    response = getattr(client, method)(ME, headers=headers)

    assert response.status_code == 401
    # A request that brings nothing made no error (RFC 6750 §3.1).
    challenge = 'Bearer error="invalid_token"' if headers else "Bearer"
    assert response["WWW-Authenticate"] == challenge
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "error": "invalid_token",
        "error_description": "The access token is missing, expired, revoked or not of this server.",
        "request_id": response["X-Request-ID"],
    }


def test_a_token_of_another_installation_is_refused(acme, alice, client, settings):
    settings.PUBLIC_URL = "https://login.example.com"

    assert client.get(ME, headers=alice).status_code == 401


@pytest.mark.parametrize("method", ["patch", "put", "post"])
def test_the_nickname_is_changed_by_any_method_that_a_client_has(acme, client, alice, method):
    """wx.request has no PATCH."""
    response = getattr(client, method)(
        ME, {"nickname": "Carol"}, content_type="application/json", headers=alice
    )

    assert (response.status_code, response.json()["nickname"]) == (200, "Carol")
    assert User.objects.get().nickname == "Carol"


@pytest.mark.parametrize("method", ["patch", "put", "post"])
@pytest.mark.parametrize("fields", [{}, {"nickname": ""}, {"nickname": None}])
def test_without_a_value_nothing_changes(acme, client, alice, method, fields):
    before = User.objects.get()

    response = getattr(client, method)(ME, fields, content_type="application/json", headers=alice)

    assert (response.status_code, response.json()["nickname"]) == (200, before.nickname)
    assert User.objects.get().updated_at == before.updated_at


def test_there_are_no_other_methods(acme, client, alice):
    response = client.generic("TRACE", ME, headers=alice)

    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("nickname", "reason"),
    [
        ("x" * 65, "must be at most 64 characters long."),
        ("爱" * 65, "must be at most 64 characters long."),
        (5, "must be a string."),
        (["爱丽"], "must be a string."),
        ("a\x00b", "holds a NUL character or half of a surrogate pair."),
        *[(text, "must hold something visible.") for text in (" ", "　", "\u3164", "\u200d")],
        *[
            (text, "must hold no control characters and none that turn the writing around.")
            for text in ("\n", "a\nb", "a\tb", "\x14C", "a\x85b", "a\u2028", "a\u202eb", "\u2060")
        ],
    ],
)
def test_a_malformed_nickname_is_refused(alice, change, nickname, reason):
    response = change(alice, nickname=nickname)

    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_request",
        "error_description": f"nickname: {reason}",
        "request_id": ANY,
    }
    assert User.objects.get().nickname == "爱丽"


@pytest.mark.parametrize("nickname", ["\x14Carol", "a\x7f", "\x01"])
def test_a_single_control_character_is_refused(alice, change, nickname):
    assert change(alice, nickname=nickname).status_code == 400


def test_half_of_a_surrogate_pair_is_refused(alice, client):
    response = client.generic(
        "PATCH", ME, b'{"nickname": "\\ud83c"}', content_type="application/json", headers=alice
    )

    assert response.status_code == 400
    assert response.json()["error_description"] == (
        "nickname: holds a NUL character or half of a surrogate pair."
    )


@pytest.mark.parametrize(
    "field",
    ["avatar_url", "phone_number", "phone_number_verified", "sub", "status", "pool", "id"],
)
def test_what_cant_be_changed_here_is_an_unknown_field(alice, change, field):
    before = User.objects.values().get()

    response = change(alice, nickname="Alice", **{field: "x"})

    assert response.status_code == 400
    assert response.json()["error_description"] == f"{field}: is not known here."
    assert User.objects.values().get() == before


def test_a_change_is_json(alice, client):
    response = client.patch(
        ME, "nickname=x", content_type="application/x-www-form-urlencoded", headers=alice
    )

    assert response.status_code == 415


def test_a_nickname_needs_the_scope_profile(acme, log_in, change):
    token = log_in(scope="openid phone account").json()["access_token"]

    response = change(bearer(token), nickname="Alice")

    assert response.status_code == 403
    assert response["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert response.json() == {
        "error": "insufficient_scope",
        "error_description": "This needs an access token with the scope profile.",
        "request_id": ANY,
    }
    assert User.objects.get().nickname == ""


def test_nobody_elses_nickname_changes(acme, globex, alice, log_in, change):
    bob = log_in("bob").json()["user"]["sub"]

    change(alice, nickname="Alice")

    assert User.objects.get(sub=bob).nickname == ""
    assert User.objects.filter(nickname="Alice").count() == 1


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        ("openid account offline_access", {}),
        (
            "profile",
            {"nickname": "爱丽", "avatar_url": "https://login.example.com/a.png"},
        ),
        ("phone", {"phone_number": "+8613800138001", "phone_number_verified": True}),
    ],
)
def test_scopes_decide_what_is_told(alice, client, log_in, scope, opened):
    answer = log_in(scope=scope).json()

    response = client.get(ME, headers=bearer(answer["access_token"]))

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"sub": User.objects.get().sub, **opened} == answer["user"]


def test_what_is_not_known_is_null(acme, log_in, client):
    answer = log_in().json()

    response = client.get(ME, headers=bearer(answer["access_token"]))

    assert response.json() == {
        "sub": answer["user"]["sub"],
        "nickname": None,
        "avatar_url": None,
        "phone_number": None,
        "phone_number_verified": False,
    }


@pytest.mark.parametrize(
    "nickname", ["Alice", "爱丽🌸", " 爱 丽 ", "x" * 64, "👩‍👩‍👧‍👦", "<b>Al</b>"]
)
def test_a_nickname_is_taken_as_it_is(alice, change, nickname):
    response = change(alice, nickname=nickname)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "sub": User.objects.get().sub,
        **EVERYTHING,
        "nickname": nickname,
        "phone_number_verified": True,
    }
    assert User.objects.get().nickname == nickname


def test_a_change_is_dated(alice, change):
    before = User.objects.get()

    change(alice, nickname="Alice")

    assert User.objects.get().updated_at > before.updated_at

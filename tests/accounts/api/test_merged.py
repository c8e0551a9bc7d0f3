"""What a program is told that holds tokens of a user who was merged into another."""

import pytest
from django.utils import timezone

from accounts.merging.merge import merge_by_hand
from accounts.merging.undo import undo
from accounts.models import Merge, User
from tests.support import builders
from tests.support.oidc import bearer, refresh, userinfo

SAYS = "This user was merged into another. Log in again; the new tokens name it."


@pytest.fixture
def merged(acme, log_in, operator):
    """The tokens of Alice, who then turned out to be an older user."""
    older = builders.make_user(acme.pool)
    tokens = log_in("alice").json()
    merge_by_hand(
        older, User.objects.get(sub=tokens["user"]["sub"]), operator=operator, now=timezone.now()
    )
    return tokens, older


def use(name, client, tokens):
    """Use the tokens at a door, in one of the ways in which they open it."""
    headers = bearer(tokens["access_token"])
    return {
        "me": lambda: client.get("/api/v1/me", headers=headers),
        "rename": lambda: client.patch(
            "/api/v1/me", {"nickname": "x"}, content_type="application/json", headers=headers
        ),
        "close": lambda: client.delete("/api/v1/me", headers=headers),
        "list": lambda: client.get("/api/v1/me/linked-accounts", headers=headers),
        "phone": lambda: client.post(
            "/api/v1/me/phone",
            {"phone_code": "c"},
            content_type="application/json",
            headers=headers,
        ),
        "userinfo": lambda: userinfo(tokens["access_token"]),
        "refresh": lambda: refresh(tokens["refresh_token"]),
    }[name]()


@pytest.mark.parametrize("door", ["me", "rename", "close", "list", "phone", "userinfo", "refresh"])
def test_the_tokens_open_nothing_and_say_who_the_person_is_now(merged, client, door):
    tokens, older = merged

    response = use(door, client, tokens)

    status, word = (400, "invalid_grant") if door == "refresh" else (401, "invalid_token")
    assert response.status_code == status
    assert response.json() == {
        "error": word,
        "error_description": SAYS,
        "merged_into": older.sub,
        "request_id": response["X-Request-ID"],
    }


def test_after_a_chain_of_merges_they_name_the_final_survivor(acme, merged, client, operator):
    tokens, older = merged
    oldest = builders.make_user(acme.pool)
    User.objects.filter(pk=oldest.pk).update(created_at="2020-01-01T00:00Z")
    oldest.refresh_from_db()
    merge_by_hand(older, oldest, operator=operator, now=timezone.now())

    for door in ("me", "refresh"):
        assert use(door, client, tokens).json()["merged_into"] == oldest.sub


def test_a_new_login_gives_tokens_of_the_survivor(merged, client, log_in):
    _tokens, older = merged

    answer = log_in("alice").json()

    assert (answer["user"]["sub"], answer["created"]) == (older.sub, False)
    assert use("me", client, answer).json()["sub"] == older.sub


def test_the_tokens_stay_dead_after_the_merge_is_undone(merged, client, operator):
    tokens, _older = merged
    undo(Merge.objects.get(), operator=operator, now=timezone.now())

    for door in ("me", "refresh"):
        answer = use(door, client, tokens).json()
        assert answer["error"] in {"invalid_token", "invalid_grant"}
        assert "merged_into" not in answer


def test_nobody_hears_of_a_merge_without_a_token_that_we_signed(merged, client):
    tokens, _older = merged
    head, payload, _signature = tokens["access_token"].split(".")

    forged = {"access_token": f"{head}.{payload}.{'A' * 86}", "refresh_token": "unknown"}

    for door in ("me", "refresh"):
        assert "merged_into" not in use(door, client, forged).json()

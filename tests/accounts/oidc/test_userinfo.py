"""What userinfo tells of a person, and to whom."""

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from tests.support.oidc import FORM, assert_refused, bearer, claims_of, userinfo


def test_without_a_token_nothing_is_told(acme, client):
    response = client.get("/oidc/acme/userinfo")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json() == {
        "error": "invalid_token",
        "error_description": "The access token is missing, expired, revoked or not of this server.",
        "request_id": response["X-Request-ID"],
    }


def test_another_pools_userinfo_tells_nothing(tokens, globex):
    assert userinfo(tokens["access_token"], pool="globex").status_code == 401


def test_an_unknown_pool_is_not_there(tokens):
    assert userinfo(tokens["access_token"], pool="unknown").status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_token_in_the_address_is_not_read(tokens, client, method):
    # RFC 6750 §5.3: addresses stand in logs and histories.
    address = f"/oidc/acme/userinfo?access_token={tokens['access_token']}"

    response = getattr(client, method)(address)

    assert_refused(response, "invalid_token", 401)
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain"])
def test_a_token_in_a_body_that_is_no_form_is_not_read(tokens, client, content_type):
    body = f"access_token={tokens['access_token']}".encode()

    response = client.generic("POST", "/oidc/acme/userinfo", body, content_type=content_type)

    assert_refused(response, "invalid_token", 401)


@pytest.mark.parametrize("authorization", ["Bearer x", "Bearer", "Basic eDp5"])
def test_a_token_is_sent_in_one_place(tokens, client, authorization):
    # RFC 6750 §2, §3.1
    body = f"access_token={tokens['access_token']}"

    response = client.post(
        "/oidc/acme/userinfo",
        body,
        content_type=FORM,
        headers={"Authorization": authorization},
    )

    assert_refused(response, "invalid_request", 400)


@pytest.mark.parametrize(
    "body",
    ["access_token=x&access_token=y", "access_token=%00", "access_token=%ff", "a=" + "x" * 4097],
)
def test_a_malformed_form_is_refused(tokens, client, body):
    response = client.post("/oidc/acme/userinfo", body, content_type=FORM)

    assert_refused(response, "invalid_request", 400)


@pytest.mark.parametrize("field", ["id_token", "refresh_token"])
def test_another_token_in_a_form_opens_nothing(tokens, client, field):
    body = f"access_token={tokens[field]}"

    assert_refused(
        client.post("/oidc/acme/userinfo", body, content_type=FORM), "invalid_token", 401
    )


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        ("openid account offline_access", {}),
        (
            "profile",
            {
                "nickname": "爱丽",
                "picture": "https://login.example.com/a.png",
                "updated_at": 1795435200,
            },
        ),
        ("phone", {"phone_number": "+8613800138001", "phone_number_verified": True}),
    ],
)
def test_scopes_decide_what_is_told(acme, log_in, scope, opened):
    with time_machine.travel(1795435200, tick=False):
        answer = log_in(scope=scope).json()
        User.objects.update(
            nickname="爱丽",
            avatar_url="https://login.example.com/a.png",
            phone_number="+8613800138001",
            phone_number_verified_at=timezone.now(),
        )
        response = userinfo(answer["access_token"])

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"sub": answer["user"]["sub"], **opened}


def test_what_is_not_known_is_left_out(tokens):
    told = userinfo(tokens["access_token"]).json()

    assert told.keys() == {"sub", "updated_at"}


def test_an_unverified_number_is_told_as_such(tokens):
    User.objects.update(phone_number="+8613800138001")

    told = userinfo(tokens["access_token"]).json()

    assert (told["phone_number"], told["phone_number_verified"]) == ("+8613800138001", False)


def test_userinfo_and_id_token_name_the_same_person(tokens):
    told = userinfo(tokens["access_token"]).json()

    assert told["sub"] == claims_of(tokens["id_token"])["sub"] == tokens["user"]["sub"]


def test_it_may_be_asked_by_post(tokens, client):
    # OpenID Connect Core §5.3.1
    response = client.post("/oidc/acme/userinfo", headers=bearer(tokens["access_token"]))

    assert response.status_code == 200
    assert response.json()["sub"] == tokens["user"]["sub"]


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", FORM.upper()])
def test_a_post_may_carry_the_token_in_its_form(tokens, client, content_type):
    # RFC 6750 §2.2
    body = f"access_token={tokens['access_token']}"

    response = client.post("/oidc/acme/userinfo", body, content_type=content_type)

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert response.json()["sub"] == tokens["user"]["sub"]

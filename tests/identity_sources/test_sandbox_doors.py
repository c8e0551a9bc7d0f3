"""The sandbox's control doors: there with ``WECHAT_SANDBOX``, and only then."""

import os
import subprocess
import sys
from unittest.mock import ANY

import pytest
from django.test import Client

from tests.support import builders

DOOR = "/sandbox/wx.login"
ALICE = {"app_id": builders.MINI_APP_ID, "person": "alice"}
RESOLVE = (
    "import django; django.setup(); from django.urls import resolve; resolve('/sandbox/wx.login')"
)


@pytest.mark.parametrize(("sandbox", "there"), [("off", False), ("", False), ("on", True)])
def test_the_doors_are_there_only_with_the_sandbox(sandbox, there):
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE],
        env={**os.environ, "WECHAT_SANDBOX": sandbox, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode == 0) is there
    assert ("Resolver404" in done.stderr) is not there


def test_an_unknown_door_is_not_there(client):
    response = client.post("/sandbox/secrets")

    assert response.status_code == 404
    assert response.json() == {"message": "The sandbox has no such door."}


def test_a_door_takes_its_own_method_only(client):
    response = client.get(DOOR, ALICE)

    assert response.status_code == 405
    assert response.json() == {"field": None, "message": "/sandbox/wx.login takes POST only."}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"person": "alice"}, "app_id"),
        ({"app_id": builders.MINI_APP_ID}, "person"),
        (ALICE | {"person": "nobody"}, "person"),
        (ALICE | {"app_id": builders.LIVE_APP_ID}, "app_id"),
        (ALICE | {"person": 1}, "person"),
    ],
)
def test_a_wrong_field_is_named(client, data, field):
    response = client.post(DOOR, data, content_type="application/json")

    assert response.status_code == 400
    assert response.json() == {"field": field, "message": ANY}


def test_a_phone_gives_a_code_as_wx_login_does():
    # Played by curl or a mini program's developer: neither has a CSRF cookie.
    response = Client(enforce_csrf_checks=True).post(
        f"{DOOR}?app_id={builders.MINI_APP_ID}&person=alice"
    )

    assert response.status_code == 200
    assert response.json() == {"errMsg": "login:ok", "code": ANY}
    assert "no-store" in response["Cache-Control"]


def test_the_code_of_the_door_logs_its_person_in(acme, client, log_in):
    code = client.post(DOOR, ALICE, content_type="application/json").json()["code"]

    assert log_in(code=code).status_code == 200


def test_a_website_gets_the_code_that_its_page_would_have_given():
    response = Client(enforce_csrf_checks=True).post(
        "/sandbox/qrconnect", ALICE, content_type="application/json"
    )

    assert response.status_code == 200
    assert response.json() == {"code": ANY}
    assert "no-store" in response["Cache-Control"]


def test_the_people_are_listed_as_they_are_called(client):
    response = client.get("/sandbox/people")

    assert response.status_code == 200
    assert response.json()["people"][0] == {
        "person": "alice",
        "name": "Alice Chen",
        "name_zh": "陈爱丽",
        "nickname": "爱丽 Alice",
        "phone": "+8613800138001",
        "risk_blocked": False,
    }


def test_a_page_of_another_site_is_refused(client):
    response = client.post(
        DOOR, ALICE, content_type="application/json", headers={"origin": "https://evil.example"}
    )

    assert response.status_code == 403


def test_a_page_of_this_server_is_served(client):
    response = client.post(
        DOOR, ALICE, content_type="application/json", headers={"origin": "http://testserver"}
    )

    assert response.status_code == 200

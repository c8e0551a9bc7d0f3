"""A device asks for its two codes: who may, what it gets, and what is kept."""

import hashlib
import re
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.utils import timezone

from accounts.models import AuthorizationRequest, DeviceAuthorization
from accounts.oidc.authorization.pending import keep_request
from accounts.oidc.endpoints.device_authorization import (
    DeviceAuthorizationEndpoint,
    user_code_hash,
)
from applications.models import Application
from tests.support import builders
from tests.support.oidc import assert_refused, post
from tests.support.website import make_site


@pytest.mark.parametrize("client_id", ["acme-spa", "acme-web", "acme-machine", "acme-shop"])
def test_an_application_without_the_device_flow_gets_no_codes(site, client_id):
    is_confidential = client_id in {"acme-web", "acme-machine"}
    secret = builders.CLIENT_SECRET if is_confidential else None

    response = post("device_authorization", {"client_id": client_id}, secret=secret)

    assert_refused(response, "unauthorized_client")
    assert not DeviceAuthorization.objects.exists()


def test_an_application_that_is_switched_off_gets_no_codes(site):
    Application.objects.update(enabled=False)

    response = post("device_authorization", {"client_id": "acme-native"})

    assert_refused(response, "application_disabled", 403)
    assert not DeviceAuthorization.objects.exists()


@pytest.mark.parametrize("client_id", ["nobody", "globex-shop"])
def test_an_unknown_application_gets_no_codes(site, globex, client_id):
    response = post("device_authorization", {"client_id": client_id})

    assert_refused(response, "invalid_client", 401)


def test_a_confidential_application_proves_itself(site):
    Application.objects.filter(pk=site.web.pk).update(allows_device_flow=True)

    assert_refused(post("device_authorization", {"client_id": "acme-web"}), "invalid_client", 401)

    response = post(
        "device_authorization", {"client_id": "acme-web"}, secret=builders.CLIENT_SECRET
    )
    assert response.status_code == 200


@pytest.mark.parametrize("scope", ["admin", "openid admin", "OPENID", "openid,profile"])
def test_a_scope_that_there_is_not_is_refused(site, scope):
    response = post("device_authorization", {"client_id": "acme-native", "scope": scope})

    assert_refused(response, "invalid_scope")
    assert not DeviceAuthorization.objects.exists()


def test_a_device_is_told_where_its_person_enters_the_code(site):
    response = post("device_authorization", {"client_id": "acme-native"})

    address = "http://127.0.0.1:8000/login/acme/device"
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert answer == {
        "device_code": ANY,
        "user_code": ANY,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?user_code={answer['user_code']}",
        "expires_in": 600,
        "interval": 5,
    }
    # No vowels, so that no words come about, and nothing that looks like something else.
    assert re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", answer["user_code"])
    assert len(answer["device_code"]) >= 42


def test_both_codes_are_stored_as_hashes_only(site):
    answer = post("device_authorization", {"client_id": "acme-native"}).json()

    device = DeviceAuthorization.objects.get()
    code_hash = hashlib.sha256(answer["device_code"].encode()).digest()
    assert bytes(device.device_code_hash) == code_hash
    assert device.user_code_hash == user_code_hash(site.pool, answer["user_code"])
    stored = repr(list(DeviceAuthorization.objects.values()))
    for code in (answer["device_code"], answer["user_code"], answer["user_code"].replace("-", "")):
        assert code not in stored


@pytest.mark.parametrize("typed", ["bcdf-ghjk", "BCDFGHJK", " bcdf ghjk ", "bcdf\u2013ghjk"])
def test_the_code_is_found_however_it_was_typed(acme, typed):
    assert user_code_hash(acme.pool, typed) == user_code_hash(acme.pool, "BCDF-GHJK")


def test_the_same_code_has_another_hash_in_another_pool(acme, globex):
    assert user_code_hash(acme.pool, "BCDF-GHJK") != user_code_hash(globex.pool, "BCDF-GHJK")


@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        (None, "openid profile phone offline_access"),
        ("profile openid", "openid profile"),
        ("account", "account"),
    ],
)
def test_the_scope_is_kept_for_the_tokens(site, scope, granted):
    post("device_authorization", {"client_id": "acme-native", "scope": scope})

    assert DeviceAuthorization.objects.get().scope == granted


# --- Codes that are taken, and devices that are past --------------------------------------------


@pytest.fixture
def drawn(monkeypatch):
    """The user codes that come next; the last one comes again and again."""
    codes = ["BCDF-GHJK"]
    monkeypatch.setattr(
        DeviceAuthorizationEndpoint,
        "generate_user_code",
        lambda _endpoint: codes.pop(0) if len(codes) > 1 else codes[0],
    )
    return codes


def test_a_code_that_another_device_has_is_not_given_twice(site, drawn):
    post("device_authorization", {"client_id": "acme-native"})
    drawn[:] = ["BCDF-GHJK", "BCDF-GHJK", "LMNP-QRST"]

    response = post("device_authorization", {"client_id": "acme-native"})

    assert response.status_code == 200
    answer = response.json()
    assert answer["user_code"] == "LMNP-QRST"
    assert answer["verification_uri_complete"].endswith("?user_code=LMNP-QRST")
    hashes = set(DeviceAuthorization.objects.values_list("user_code_hash", flat=True))
    assert hashes == {user_code_hash(site.pool, code) for code in ("BCDF-GHJK", "LMNP-QRST")}


def test_a_code_is_drawn_three_times_at_most(site, drawn):
    post("device_authorization", {"client_id": "acme-native"})
    drawn[:] = ["BCDF-GHJK", "BCDF-GHJK", "BCDF-GHJK", "LMNP-QRST"]

    assert post("device_authorization", {"client_id": "acme-native"}).status_code == 500
    assert drawn == ["LMNP-QRST"]


def test_two_pools_may_give_the_same_code(site, globex, drawn):
    make_site(globex.pool, "wxsandbox000000006")

    for pool in ("acme", "globex"):
        response = post("device_authorization", {"client_id": f"{pool}-native"}, pool=pool)
        assert response.json()["user_code"] == "BCDF-GHJK"


def test_devices_that_are_long_past_are_swept_away(site, monkeypatch):
    long_past = ask_at(timezone.now() - timedelta(days=1, minutes=11))
    keep_request(site.native, {}, browser_secret="a secret", now=timezone.now(), device=long_past)
    past = ask_at(timezone.now() - timedelta(days=1, minutes=9))
    monkeypatch.setattr("accounts.oidc.endpoints.device_authorization.sweeper.due_at", 0.0)

    now = ask_at(timezone.now())

    assert set(DeviceAuthorization.objects.all()) == {past, now}
    assert not AuthorizationRequest.objects.exists()


def ask_at(moment):
    """Have a device ask for its codes; return what is kept of it."""
    with time_machine.travel(moment, tick=False):
        answer = post("device_authorization", {"client_id": "acme-native"}).json()
    code_hash = hashlib.sha256(answer["device_code"].encode()).digest()
    return DeviceAuthorization.objects.get(device_code_hash=code_hash)

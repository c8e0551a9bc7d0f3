"""A device that polls: it waits, is let in once, or is kept out (RFC 8628 §3.4, §3.5)."""

from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts.models import DeviceAuthorization, LoginEvent, RefreshToken, Session, User
from accounts.oidc.grants import device_code as device_code_grant
from applications.models import Application, LoginMethod
from tests.support.client import GuardedClient
from tests.support.oidc import assert_refused, claims_of, post, refresh, userinfo
from tests.support.website import decide_about_device

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

Codes = dict[str, str]


def poll(device_code: str | None, client_id: str = "acme-native", **changes) -> HttpResponse:
    usual = {name: changes.pop(name) for name in ("pool",) if name in changes}
    fields = {"grant_type": GRANT, "client_id": client_id, "device_code": device_code}
    return post("token", fields | changes, **usual)


@pytest.fixture
def codes(site) -> Codes:
    """What the device was given."""
    answer: Codes = post("device_authorization", {"client_id": "acme-native"}).json()
    return answer


@pytest.fixture
def allowed(codes) -> Codes:
    """The device's codes, after Alice let it in."""
    assert decide_about_device(GuardedClient(), codes["user_code"]).status_code == 200
    return codes


def interval() -> int:
    return DeviceAuthorization.objects.get().interval


# --- Not yet ----------------------------------------------------------------------------------


def test_a_device_is_told_to_wait_for_its_person(codes):
    response = poll(codes["device_code"])

    assert_refused(response, "authorization_pending")
    assert response.json()["error_description"] == (
        "The person hasn't decided yet. Ask again once the interval has passed."
    )


def test_a_device_that_asks_too_often_has_to_wait_longer_each_time(codes):
    began = timezone.now()
    errors = []
    for seconds in (0, 4.9, 9.8, 24.8, 30):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            errors.append((poll(codes["device_code"]).json()["error"], interval()))

    assert errors == [
        ("authorization_pending", 5),
        ("slow_down", 10),
        ("slow_down", 15),
        ("authorization_pending", 15),
        ("slow_down", 20),
    ]


def test_the_interval_has_an_end(codes):
    DeviceAuthorization.objects.update(interval=600, polled_at=timezone.now())

    assert_refused(poll(codes["device_code"]), "slow_down")

    assert interval() == 600


def test_devices_that_wait_lock_nobody_out(site, settings):
    # Many televisions share an address; each is told to wait a hundred times.
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/hour"
    settings.THROTTLE_LOGIN_PER_APPLICATION = "2/hour"
    for _device in range(4):
        codes = post("device_authorization", {"client_id": "acme-native"}).json()
        assert_refused(poll(codes["device_code"]), "authorization_pending")


def test_devices_that_ask_too_often_are_throttled(codes, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/hour"
    with time_machine.travel(timezone.now(), tick=False):
        errors = [poll(codes["device_code"]).json()["error"] for _ in range(4)]

    assert errors == ["authorization_pending", "slow_down", "slow_down", "too_many_requests"]


# --- Never ------------------------------------------------------------------------------------


@pytest.mark.parametrize("device_code", ["x", "x" * 42, "x" * 4096, "设备", "' OR 1=1 --"])
def test_an_unknown_code_is_refused(site, device_code):
    assert_refused(poll(device_code))


def test_a_code_that_is_missing_is_asked_for(site):
    response = poll(None)

    assert_refused(response, "invalid_request")
    assert response.json()["error_description"] == "device_code: is required."


def test_the_persons_code_is_not_the_devices(allowed):
    assert_refused(poll(allowed["user_code"]))


def test_a_code_is_refused_to_another_application(site, allowed):
    Application.objects.filter(pk=site.spa.pk).update(allows_device_flow=True)

    # RFC 6749 §5.2: it was issued to another client.
    assert_refused(poll(allowed["device_code"], "acme-spa"))

    assert poll(allowed["device_code"]).status_code == 200


def test_a_code_is_refused_in_another_pool(allowed, globex):
    response = poll(allowed["device_code"], pool="globex")

    assert_refused(response, "invalid_client", 401)
    assert poll(allowed["device_code"]).status_code == 200


@pytest.mark.parametrize("client_id", ["acme-spa", "acme-shop"])
def test_an_application_without_the_flow_has_no_such_grant(codes, client_id):
    assert_refused(poll(codes["device_code"], client_id), "unauthorized_client")


def test_a_flow_that_was_switched_off_meanwhile_gives_nothing(site, allowed):
    Application.objects.filter(pk=site.native.pk).update(allows_device_flow=False)

    assert_refused(poll(allowed["device_code"]), "unauthorized_client")


def test_who_is_kept_out_stays_out(codes):
    decide_about_device(GuardedClient(), codes["user_code"], "refuse")

    assert_refused(poll(codes["device_code"]), "access_denied")
    assert_refused(poll(codes["device_code"]), "access_denied")
    assert not RefreshToken.objects.exists()


@pytest.mark.parametrize("seconds", [600, 601, 86_400])
def test_a_code_that_ran_out_gives_nothing(allowed, seconds):
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
        response = poll(allowed["device_code"])

    assert_refused(response, "expired_token")
    assert response.json()["error_description"] == (
        "The device_code ran out. Begin again at the device authorization endpoint."
    )


CIRCUMSTANCES = {
    "user suspended": lambda: User.objects.update(status="suspended"),
    "user closed": lambda: User.objects.update(status="closed"),
    "application disabled": lambda: Application.objects.update(enabled=False),
    "method disabled": lambda: LoginMethod.objects.update(enabled=False),
    "session ended": lambda: Session.objects.update(ended_at=timezone.now()),
}


@pytest.mark.parametrize("change", CIRCUMSTANCES.values(), ids=CIRCUMSTANCES.keys())
def test_what_has_ended_gives_no_tokens(allowed, change):
    change()

    assert_refused(poll(allowed["device_code"]))
    assert not RefreshToken.objects.exists()


# --- Once -------------------------------------------------------------------------------------


def test_a_device_that_was_let_in_gets_its_tokens(allowed):
    response = poll(allowed["device_code"])

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert answer == {
        "access_token": ANY,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": ANY,
        "id_token": ANY,
        "scope": "openid profile phone offline_access",
    }
    assert userinfo(answer["access_token"]).status_code == 200
    assert refresh(answer["refresh_token"], client_id="acme-native").status_code == 200
    assert claims_of(answer["id_token"])["aud"] == "acme-native"


def test_a_device_that_was_let_in_need_not_wait_for_the_interval(codes):
    poll(codes["device_code"])
    decide_about_device(GuardedClient(), codes["user_code"])

    assert poll(codes["device_code"]).status_code == 200


def test_a_device_gets_its_tokens_once(allowed):
    answer = poll(allowed["device_code"]).json()

    assert_refused(poll(allowed["device_code"]))

    # It asked again because the answer was lost, or so it may be: nothing is revoked.
    assert userinfo(answer["access_token"]).status_code == 200


@pytest.mark.usefixtures("threaded_database")
def test_of_many_polls_at_once_exactly_one_gets_tokens(site, together, meet):
    codes = post("device_authorization", {"client_id": "acme-native"}).json()
    decide_about_device(GuardedClient(), codes["user_code"])
    meet(device_code_grant, "is_current", 8)

    responses = together(poll, [codes["device_code"]] * 8)

    assert sorted(response.status_code for response in responses) == [200] + [400] * 7
    assert RefreshToken.objects.count() == 1


def test_a_login_for_a_device_is_recorded_like_any_other(allowed):
    event = LoginEvent.objects.get()

    assert (event.application.client_id, event.outcome) == ("acme-native", "succeeded")

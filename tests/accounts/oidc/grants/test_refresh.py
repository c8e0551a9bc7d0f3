"""Refreshing: each token is good once, and a second use ends the session."""

import base64
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.utils import timezone

from accounts.models import LoginEvent, RefreshToken, Session, User
from applications.models import Application, ClientSecret, LoginMethod
from identity_sources.models import IdentitySource
from tests.support import builders
from tests.support.oidc import FORM, assert_refused, claims_of, refresh, userinfo
from tests.support.records import event, events

DAY = timedelta(days=1)
INVALID_GRANT = {
    "error": "invalid_grant",
    "error_description": "The refresh token is unknown, used, expired or revoked. Log in again.",
    "request_id": ANY,
}


def unspent() -> int:
    return RefreshToken.objects.unspent(timezone.now()).count()


@pytest.fixture(autouse=True)
def no_leeway(acme):
    """Here every second use is reuse; test_refresh_leeway.py has the time in which it isn't."""
    Application.objects.update(refresh_leeway=0)


@pytest.fixture
def confidential(acme):
    """Acme's application, made confidential after Alice's login."""
    ClientSecret.for_application(acme.application, builders.CLIENT_SECRET).save()
    Application.objects.filter(pk=acme.application.pk).update(client_authentication="client_secret")


# --- Reuse ------------------------------------------------------------------------------------


def test_a_second_use_ends_session_and_family(acme, tokens, session):
    successor = refresh(tokens["refresh_token"]).json()

    response = refresh(tokens["refresh_token"])

    assert response.status_code == 400
    assert response.json() == INVALID_GRANT
    assert_refused(refresh(successor["refresh_token"]))
    assert userinfo(successor["access_token"]).status_code == 401
    assert userinfo(tokens["access_token"]).status_code == 401
    session.refresh_from_db()
    assert (session.ended_at, session.end_reason) == (ANY, "refresh_token_reused")
    assert session.ended_at is not None
    assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_a_second_use_is_recorded_once(acme, tokens):
    refresh(tokens["refresh_token"])
    response = refresh(tokens["refresh_token"])
    refresh(tokens["refresh_token"])

    assert events() == [
        event(),
        event(
            user__sub=tokens["user"]["sub"],
            door="refresh",
            outcome="refused",
            error="refresh_token_reused",
            decision="",
            wechat_milliseconds=None,
            request_id=response["X-Request-ID"],
        ),
    ]


def test_a_second_use_ends_no_other_session(acme, log_in):
    stolen, other = log_in().json(), log_in().json()
    refresh(stolen["refresh_token"])
    refresh(stolen["refresh_token"])

    assert userinfo(other["access_token"]).status_code == 200
    assert refresh(other["refresh_token"]).status_code == 200


def test_an_old_token_of_the_family_ends_the_session_as_well(acme, tokens, session):
    second = refresh(tokens["refresh_token"]).json()
    third = refresh(second["refresh_token"]).json()

    assert_refused(refresh(tokens["refresh_token"]))

    assert_refused(refresh(third["refresh_token"]))
    session.refresh_from_db()
    assert session.end_reason == "refresh_token_reused"


@pytest.mark.usefixtures("threaded_database")
def test_of_many_at_once_exactly_one_wins(acme, log_in, together):
    answer = log_in().json()

    responses = together(refresh, [answer["refresh_token"]] * 8)

    statuses = sorted(response.status_code for response in responses)
    assert statuses == [200] + [400] * 7
    assert Session.objects.get().end_reason == "refresh_token_reused"
    assert unspent() == 0


# --- Who may not ------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "x" * 43, "x" * 4096, "密钥", "' OR 1=1 --"])
def test_an_unknown_token_is_refused(acme, tokens, token):
    response = refresh(token)

    assert response.status_code == 400
    assert response.json() == INVALID_GRANT


def test_an_access_token_is_no_refresh_token(tokens):
    assert_refused(refresh(tokens["access_token"]))


def test_a_token_is_refused_to_another_application(acme, tokens):
    other = builders.make_application(acme.pool, client_id="acme-other")
    builders.offer(other, acme.source)

    assert_refused(refresh(tokens["refresh_token"], client_id="acme-other"))

    assert unspent() == 1
    assert refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("client_id", ["globex-shop", "acme-shop"])
def test_a_token_is_refused_in_another_pool(globex, tokens, client_id):
    response = refresh(tokens["refresh_token"], pool="globex", client_id=client_id)

    assert response.status_code in {400, 401}
    assert response.json()["error"] in {"invalid_grant", "invalid_client"}
    assert unspent() == 1


def test_an_application_of_another_pool_is_not_found(globex, tokens):
    assert_refused(refresh(tokens["refresh_token"], client_id="globex-shop"), "invalid_client", 401)


def test_an_unknown_application_is_refused(tokens):
    assert_refused(refresh(tokens["refresh_token"], client_id="nobody"), "invalid_client", 401)


def test_an_unknown_pool_is_not_there(tokens):
    assert refresh(tokens["refresh_token"], pool="unknown").status_code == 404


@pytest.mark.parametrize("secret", [None, "", "wrong" * 8])
def test_a_confidential_application_needs_its_secret(tokens, confidential, secret):
    assert_refused(refresh(tokens["refresh_token"], client_secret=secret), "invalid_client", 401)

    assert unspent() == 1
    assert not Session.objects.exclude(ended_at=None).exists()


def test_a_wrong_secret_by_basic_is_challenged(tokens, confidential):
    credentials = base64.b64encode(b"acme-shop:" + b"wrong" * 8).decode()

    response = refresh(
        tokens["refresh_token"], client_id=None, headers={"Authorization": f"Basic {credentials}"}
    )

    assert_refused(response, "invalid_client", 401)
    assert response["WWW-Authenticate"] == 'Basic realm="unionpass"'


def test_a_confidential_application_may_send_its_secret_in_the_form(tokens, confidential):
    response = refresh(tokens["refresh_token"], client_secret=builders.CLIENT_SECRET)

    assert response.status_code == 200


def test_a_confidential_application_may_send_its_secret_by_basic(tokens, confidential):
    secret = builders.CLIENT_SECRET.replace(" ", "+")
    credentials = base64.b64encode(f"acme-shop:{secret}".encode()).decode()

    response = refresh(
        tokens["refresh_token"], client_id=None, headers={"Authorization": f"Basic {credentials}"}
    )

    assert response.status_code == 200


# --- When it may not --------------------------------------------------------------------------


def test_a_token_that_lay_idle_too_long_is_refused(acme, tokens, session):
    with time_machine.travel(timezone.now() + 30 * DAY, tick=False):
        assert_refused(refresh(tokens["refresh_token"]))

    # It was never used twice: whoever logs in again keeps what they have.
    session.refresh_from_db()
    assert session.ended_at is None


def test_a_token_lives_on_while_it_is_used_but_not_for_ever(acme, tokens):
    token, began = tokens["refresh_token"], timezone.now()

    for days in range(29, 180, 29):
        with time_machine.travel(began + days * DAY, tick=False):
            answer = refresh(token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    with time_machine.travel(began + 180 * DAY, tick=False):
        assert_refused(refresh(token))

    assert began + 180 * DAY - RefreshToken.objects.latest("pk").expires_at < timedelta(minutes=1)


CIRCUMSTANCES = {
    "user suspended": lambda: User.objects.update(status="suspended"),
    "user closed": lambda: User.objects.update(status="closed"),
    "application disabled": lambda: Application.objects.update(enabled=False),
    "method disabled": lambda: LoginMethod.objects.update(enabled=False),
    "source disabled": lambda: IdentitySource.objects.update(enabled=False),
    "source archived": lambda: IdentitySource.objects.update(archived_at=timezone.now()),
    "method of another way": lambda: LoginMethod.objects.update(way="mini_program_scan"),
    "came by a way no longer offered": lambda: Session.objects.update(way="mini_program_scan"),
    "method gone": lambda: LoginMethod.objects.all().delete(),
    "session ended": lambda: Session.objects.update(ended_at=timezone.now()),
    "token revoked": lambda: RefreshToken.objects.update(revoked_at=timezone.now()),
}


@pytest.mark.parametrize("change", CIRCUMSTANCES.values(), ids=CIRCUMSTANCES.keys())
def test_what_has_ended_is_not_refreshed(tokens, change):
    change()

    response = refresh(tokens["refresh_token"])

    assert response.status_code == 400
    assert response.json() == INVALID_GRANT
    assert RefreshToken.objects.get().used_at is None


def test_without_the_sandbox_its_sessions_are_not_refreshed(tokens, settings):
    settings.WECHAT_SANDBOX = False

    assert_refused(refresh(tokens["refresh_token"]))


def test_what_was_switched_off_and_on_again_is_refreshed(acme, tokens):
    LoginMethod.objects.update(enabled=False)
    refresh(tokens["refresh_token"])
    LoginMethod.objects.update(enabled=True)

    assert refresh(tokens["refresh_token"]).status_code == 200


# --- How it may not be asked ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ("client_id=acme-shop&refresh_token=x", "grant_type: is required."),
        ("client_id=acme-shop&refresh_token=x&grant_type=", "grant_type: is required."),
        ("client_id=acme-shop&grant_type=refresh_token", "refresh_token: is required."),
        ("grant_type=refresh_token&refresh_token=x", "client_id: is required."),
        (
            "client_id=acme-shop&grant_type=refresh_token&refresh_token=x&refresh_token=x",
            "A field stands twice; each may stand once.",
        ),
        (
            "client_id=acme-shop&client_id=&grant_type=refresh_token&refresh_token=x",
            "A field stands twice; each may stand once.",
        ),
        (
            "client_id=acme-shop&grant_type=refresh_token&refresh_token=%00",
            "A field is too long or holds a NUL character.",
        ),
        (
            "client_id=acme-shop&grant_type=refresh_token&a%00=b&refresh_token=x",
            "A field is too long or holds a NUL character.",
        ),
        (
            f"client_id=acme-shop&grant_type=refresh_token&refresh_token={'x' * 4097}",
            "A field is too long or holds a NUL character.",
        ),
        ("", "client_id: is required."),
        (
            "&".join(f"f{number}=1" for number in range(1500)),
            "The body is not a form in UTF-8, or has too much.",
        ),
    ],
)
def test_a_malformed_form_is_refused(acme, client, body, description):
    response = client.post("/oidc/acme/token", body, content_type=FORM)

    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_request",
        "error_description": description,
        "request_id": ANY,
    }


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_what_is_no_form_is_refused(acme, client, content_type):
    response = client.generic("POST", "/oidc/acme/token", b"{}", content_type=content_type)

    assert response.status_code == 415
    assert response.json()["error"] == "invalid_request"


def test_a_form_that_is_too_large_is_refused(acme, client):
    response = client.post("/oidc/acme/token", "a=" + "x" * 65_536, content_type=FORM)

    assert response.status_code == 413


def test_parameters_in_the_address_are_not_read(acme, tokens, client):
    response = client.post(
        f"/oidc/acme/token?grant_type=refresh_token&refresh_token={tokens['refresh_token']}",
        "client_id=acme-shop",
        content_type=FORM,
    )

    assert_refused(response, "invalid_request")
    assert unspent() == 1


@pytest.mark.parametrize(
    "grant_type",
    ["password", "implicit", "REFRESH", "urn:ietf:params:oauth:grant-type:jwt-bearer", "刷新"],
)
def test_a_grant_type_that_there_is_not_is_refused(tokens, grant_type):
    response = refresh(tokens["refresh_token"], grant_type=grant_type)

    assert_refused(response, "unsupported_grant_type")
    assert grant_type not in response.json()["error_description"]


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "client_credentials"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "x"},
    ],
    ids=lambda fields: fields["grant_type"],
)
def test_a_mini_program_has_no_other_grant(tokens, fields):
    assert_refused(refresh(tokens["refresh_token"], **fields), "unauthorized_client")

    assert unspent() == 1


def test_the_token_endpoint_takes_post_only(acme, client):
    response = client.get("/oidc/acme/token")

    assert response.status_code == 405
    assert response["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("scope", ["admin", "openid admin", "account"])
def test_more_than_was_granted_is_refused(acme, log_in, scope):
    token = log_in(scope="openid profile offline_access").json()["refresh_token"]

    response = refresh(token, scope=scope)

    assert_refused(response, "invalid_scope")
    assert unspent() == 1


@pytest.mark.usefixtures("frozen_clock")
def test_too_many_refused_attempts_have_to_wait(acme, tokens, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "2/hour"
    refresh("x")
    refresh("x")

    response = refresh(tokens["refresh_token"])

    assert_refused(response, "too_many_requests", 429)
    assert int(response["Retry-After"]) > 0
    assert unspent() == 1


# --- What it gives ----------------------------------------------------------------------------


def test_a_refresh_gives_new_tokens_of_the_same_session(acme, tokens):
    response = refresh(tokens["refresh_token"])

    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    answer = response.json()
    assert answer == {
        "access_token": ANY,
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": ANY,
        "id_token": ANY,
        "scope": "openid profile phone account offline_access",
    }
    before, after = claims_of(tokens["access_token"]), claims_of(answer["access_token"])
    same = ("iss", "sub", "aud", "client_id", "scope", "sid", "auth_time")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["jti"] != before["jti"]
    assert answer["refresh_token"] != tokens["refresh_token"]
    assert userinfo(answer["access_token"]).status_code == 200


def test_a_refresh_keeps_the_time_of_the_login(acme, tokens):
    with time_machine.travel(timezone.now() + DAY, tick=False):
        answer = refresh(tokens["refresh_token"]).json()

    for name in ("access_token", "id_token"):
        assert claims_of(answer[name])["auth_time"] == claims_of(tokens[name])["auth_time"]
    assert claims_of(answer["id_token"])["iat"] > claims_of(tokens["id_token"])["iat"]


def test_a_refresh_spends_its_token_and_continues_the_family(acme, tokens):
    refresh(tokens["refresh_token"])

    spent, successor = RefreshToken.objects.order_by("pk")
    assert spent.used_at is not None
    assert successor.used_at is None
    assert (spent.family, spent.session_id, spent.family_expires_at) == (
        successor.family,
        successor.session_id,
        successor.family_expires_at,
    )
    assert LoginEvent.objects.count() == 1


def test_a_refresh_may_ask_for_less_and_later_for_all_again(acme, tokens):
    narrow = refresh(tokens["refresh_token"], scope="openid").json()
    wide = refresh(narrow["refresh_token"]).json()

    assert narrow["scope"] == claims_of(narrow["access_token"])["scope"] == "openid"
    assert claims_of(narrow["id_token"]).keys().isdisjoint({"nickname", "updated_at"})
    assert wide["scope"] == tokens["scope"]


def test_a_refresh_without_openid_gives_no_id_token(acme, tokens):
    answer = refresh(tokens["refresh_token"], scope="profile").json()

    assert answer.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}


def test_unknown_fields_are_ignored(acme, tokens):
    # RFC 6749 §3.2
    assert refresh(tokens["refresh_token"], resource="x", nonsense="y").status_code == 200


def test_a_public_application_needs_no_secret(acme, tokens):
    assert refresh(tokens["refresh_token"], client_secret=None).status_code == 200

"""An experience login through a browser: who comes back from WeChat, and what stays of it."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db.models import F
from django.utils import timezone

from accounts.models import (
    AuthorizationCode,
    BindingTicket,
    BrowserSession,
    LoginEvent,
    RefreshToken,
    Session,
    User,
    WeChatState,
)
from identity_sources.models import IdentitySource
from identity_sources.sandbox import openid_of
from tests.accounts.experience.browsing import (
    CALLBACK,
    PAGE,
    SECOND_SITE_APP_ID,
    come_back,
    refused,
    set_out,
    starts,
    try_out,
)
from tests.support import builders
from tests.support.login_steps import confirmed
from tests.support.pages import Page, see
from tests.support.records import events, linked_rows, steps
from tests.support.website import SITE_APP_ID
from tests.support.wechat import LIVE_URL

pytestmark = pytest.mark.usefixtures("site")

LIVE_OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
# As WeChat documents it.
LIVE_ANSWER = {
    "access_token": "99_a-users-access-token",
    "expires_in": 7200,
    "refresh_token": "99_a-users-refresh-token",
    "openid": LIVE_OPENID,
    "scope": "snsapi_login",
}


# What the rules of a login refuse


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_whose_account_is_not_active_is_refused(acme, admin_client, status):
    user = builders.make_user(acme.pool, status=status)
    builders.link_openid(user, openid_of(SITE_APP_ID, "alice"), app_id=SITE_APP_ID)

    assert refused(try_out(admin_client)) in {"user_suspended", "account_closed"}
    assert events()[0]["user__sub"] == user.sub
    assert Session.objects.count() == 0


def test_a_stranger_is_refused_where_registration_is_closed(admin_client):
    IdentitySource.objects.update(registration="closed")

    response = try_out(admin_client)

    assert refused(response) == "registration_closed"
    assert "new ones aren't opened here" in Page(response).text
    assert User.objects.count() == 0


def test_somebody_new_is_asked_and_no_ticket_is_made_of_it(admin_client):
    IdentitySource.objects.update(association="ask")

    response = try_out(admin_client)

    text = Page(response).text
    assert response.context["attempt"].error == "account_binding_required"
    assert "Have you been here before?" in text
    assert "One more step" in text
    assert BindingTicket.objects.count() == 0
    assert User.objects.count() == 0


def test_somebody_new_whose_number_is_needed_reads_what_the_login_page_says(admin_client):
    IdentitySource.objects.update(association="field")

    response = try_out(admin_client)

    assert refused(response) == "phone_code_required"
    assert "Log in by the mini program first" in Page(response).text


def test_a_snapshot_user_is_refused(admin_client, live_method, live):
    answer = LIVE_ANSWER | {"is_snapshotuser": 1}
    live.get(f"{LIVE_URL}/sns/oauth2/access_token", json=answer)

    response = come_back(admin_client, set_out(admin_client, number=1), code="a-real-code")

    assert refused(response) == "snapshot_user"
    assert User.objects.count() == 0


def test_a_person_of_the_sandbox_is_nobody_at_a_live_source(admin_client, live_method, live):
    answer = LIVE_ANSWER | {"openid": openid_of(SITE_APP_ID, "alice")}
    live.get(f"{LIVE_URL}/sns/oauth2/access_token", json=answer)

    response = come_back(admin_client, set_out(admin_client, number=1), code="a-real-code")

    assert refused(response) == "wechat_unavailable"
    assert User.objects.count() == 0


@pytest.mark.usefixtures("frozen_clock")
def test_whoever_was_refused_too_often_waits_and_nothing_is_recorded(
    admin_client, settings, wechat
):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    at_wechat = set_out(admin_client)
    come_back(admin_client, at_wechat, code="made-up")

    response = come_back(admin_client, at_wechat)

    assert refused(response) == "too_many_requests"
    assert response.context["event"] is None
    assert "too many refused attempts" in Page(response).text
    assert [event["error"] for event in events()] == ["invalid_code"]
    assert len(wechat.calls) == 1


# The way to WeChat


def test_the_page_shows_what_the_login_page_shows(admin_client):
    page = see(admin_client, PAGE)

    assert "Log in with WeChat" in page.text
    assert "Website" not in page.text
    assert len(starts(admin_client)) == 1


def test_several_websites_are_named(admin_client, second):
    IdentitySource.objects.filter(app_id=SITE_APP_ID).update(display_name="First <site>")

    assert "Log in with WeChat First <site>" in see(admin_client, PAGE).text
    assert "Log in with WeChat Second site" in see(admin_client, PAGE).text
    assert set_out(admin_client, number=1).sent["appid"] == SECOND_SITE_APP_ID


@pytest.mark.parametrize("client_id", ["acme-web", "acme-spa", "acme-native"])
def test_the_browser_goes_to_the_sandbox_and_comes_back(admin_client, client_id):
    page = f"/experience/{client_id}"

    at_wechat = set_out(admin_client, page)
    response = come_back(admin_client, at_wechat)

    own = django_settings.PUBLIC_URL
    assert at_wechat.at == f"{own}/sandbox/connect/qrconnect"
    assert at_wechat.redirect_uri == f"{own}{page}/callback"
    assert at_wechat.sent["appid"] == SITE_APP_ID
    assert len(at_wechat.state) == 64
    assert set(at_wechat.state) <= set("0123456789abcdef")
    assert response.context["attempt"].succeeded
    assert events()[0]["application__client_id"] == client_id


def test_wechat_speaks_the_operators_language(admin_client):
    chinese = admin_client.get(starts(admin_client)[0], headers={"Accept-Language": "zh-CN"})

    assert "lang=cn" in chinese["Location"]
    assert set_out(admin_client).sent["lang"] == "en"


def test_a_live_website_is_scanned_at_wechats_own_page(admin_client, live_method, live):
    live.get(f"{LIVE_URL}/sns/oauth2/access_token", json=LIVE_ANSWER)

    at_wechat = set_out(admin_client, number=1)
    response = come_back(admin_client, at_wechat, code="a-real-code")

    assert at_wechat.at == "https://open.weixin.qq.com/connect/qrconnect"
    assert response.context["attempt"].created
    assert "A new user: nobody had this WeChat account." in Page(response).text
    assert response.context["person"] is None
    assert [call.request.params["code"] for call in live.calls] == ["a-real-code"]
    assert ("openid", builders.LIVE_APP_ID, LIVE_OPENID, "") in linked_rows()


# Logged in


def test_a_new_person_becomes_a_user(acme, admin_client):
    response = try_out(admin_client)

    page, user = Page(response), User.objects.get()
    for told in ("Alice Chen is now a user of Acme", "Welcome, Alice Chen", "marked as a test"):
        assert told in page.text
    for step in ("Request received", "WeChat asked: oauth2_access_token", "User created"):
        assert step in page.text
    assert f"/console/acme/users/{user.pk}/change/" in page.links
    assert f"/console/acme/events/{LoginEvent.objects.get().pk}/change/" in page.links
    assert [step["step"] for step in steps()] == ["checked", "asked", "identity", "matched"]


def test_a_known_person_is_welcomed_back(admin_client, log_in):
    log_in()

    text = Page(try_out(admin_client)).text

    assert "Welcome back, Alice Chen" in text
    assert "Known by the UnionID" in text
    assert User.objects.count() == 1


def test_the_event_is_a_test_at_the_door_of_the_experience_login(admin_client):
    try_out(admin_client)

    (event,) = events()
    assert (event["door"], event["way"], event["outcome"]) == (
        "experience",
        "website_qr",
        "succeeded",
    )
    assert event["identity_source__identifier"] == "acme-site"


@pytest.mark.usefixtures("frozen_clock")
def test_an_older_event_of_the_same_request_id_is_not_shown(admin_client, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    at_wechat = set_out(admin_client)
    headers = {"X-Request-ID": "the-same-request-id"}
    first = admin_client.get(
        CALLBACK, {"code": "made-up", "state": at_wechat.state}, headers=headers
    )
    LoginEvent.objects.update(occurred_at=timezone.now() - timedelta(seconds=1))

    second = admin_client.get(
        CALLBACK, {"code": confirmed(), "state": at_wechat.state}, headers=headers
    )

    assert first.context["event"].request_id == "the-same-request-id"
    assert second.context["event"] is None


def test_nothing_is_left_but_a_session_that_has_ended(admin_client):
    before = dict(admin_client.cookies)

    response = try_out(admin_client)

    session = Session.objects.get()
    assert (session.end_reason, session.browser_session) == ("experience_ended", None)
    assert session.ended_at == session.auth_time
    assert LoginEvent.objects.get().sid == session.pk
    for model in (AuthorizationCode, BrowserSession, RefreshToken, WeChatState):
        assert model.objects.count() == 0
    assert set(response.cookies) <= {django_settings.CSRF_COOKIE_NAME}
    assert set(admin_client.cookies) - set(before) <= {django_settings.CSRF_COOKIE_NAME}


def test_other_sessions_of_the_person_go_on(admin_client, log_in):
    log_in()

    try_out(admin_client)

    assert Session.objects.filter(ended_at=None).count() == 1
    assert Session.objects.filter(ended_at=F("auth_time")).count() == 1


def test_an_operator_who_tried_it_out_is_signed_on_nowhere(admin_client):
    try_out(admin_client)

    response = admin_client.get("/login/acme/device")

    assert response.status_code == 200
    assert not any(name.startswith("unionpass_login") for name in admin_client.cookies)

"""An experience login through a browser: who comes back from WeChat, and what stays of it."""

import json
from datetime import timedelta
from http import HTTPStatus

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db.models import F
from django.utils import timezone

from accounts.experience.access import LINK_LIVES, share
from accounts.models import (
    AuthorizationCode,
    BindingTicket,
    BrowserSession,
    LoginEvent,
    RefreshToken,
    Session,
    User,
    WeChatTrip,
)
from applications.models import Application, LoginMethod
from identity_sources.models import IdentitySource
from identity_sources.sandbox import openid_of, unionid_of
from tests import builders
from tests.accounts.conftest import LIVE_URL
from tests.accounts.experience.browsing import (
    CALLBACK,
    PAGE,
    come_back,
    confirmed,
    set_out,
    starts,
    try_out,
)
from tests.accounts.records import events, linked_rows, steps
from tests.accounts.site import SITE_APP_ID, Site
from tests.conftest import GuardedClient, signed_in
from tests.pages import Page, see

SECOND_APP_ID = "wxsandbox000000006"
LIVE_OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
# As WeChat documents it.
LIVE_ANSWER = {
    "access_token": "99_a-users-access-token",
    "expires_in": 7200,
    "refresh_token": "99_a-users-refresh-token",
    "openid": LIVE_OPENID,
    "scope": "snsapi_login",
}


@pytest.fixture(autouse=True)
def _site(site: Site) -> None:
    """Acme has a website, of which acme-web is an application."""


@pytest.fixture
def method(site):
    return site.web.login_methods.get()


@pytest.fixture
def shared_site(site):
    """The page's address as an administrator shares it."""
    return f"{PAGE}?share={share(site.web)}"


@pytest.fixture
def second(site):
    """A second website, offered after the first."""
    source = builders.make_source(
        site.pool,
        identifier="acme-second",
        type="wechat_website",
        app_id=SECOND_APP_ID,
        display_name="Second site",
    )
    return builders.offer(site.web, source, position=1)


@pytest.fixture
def live_method(site):
    """A live website, offered after the sandbox's."""
    source = builders.make_source(
        site.pool,
        identifier="acme-live",
        type="wechat_website",
        app_id=builders.LIVE_APP_ID,
        mode="live",
        display_name="The real site",
    )
    return builders.offer(site.web, source, position=1)


@pytest.fixture
def ben(acme):
    """The browser of a second administrator."""
    return signed_in(builders.make_operator("ben", acme.pool))


def refused(response):
    """Return the refusal's word, which the page shows, too."""
    attempt = response.context["attempt"]
    assert not attempt.succeeded
    assert attempt.error in Page(response).text
    return attempt.error


def assert_nothing_happened(wechat):
    assert wechat.calls == []
    assert LoginEvent.objects.count() == 0
    assert Session.objects.count() == 0


# Who may


def pages_of(method):
    return (f"{PAGE}/wechat/{method.pk}", f"{CALLBACK}?code=a-code&state=a-state")


def test_a_stranger_signs_in_first_and_leaves_no_code_behind(client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        response = client.get(page)

        assert response["Location"] == f"/console/login/?next={PAGE}"
    assert_nothing_happened(wechat)


def test_a_viewer_may_not(viewer_client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        assert viewer_client.get(page).status_code == 403
    assert_nothing_happened(wechat)


def test_an_operator_of_another_pool_finds_nothing(stranger_client, method, wechat):
    for page in (PAGE, *pages_of(method)):
        assert stranger_client.get(page).status_code == 404
    assert_nothing_happened(wechat)


@pytest.mark.parametrize("verb", ["post", "head", "put", "patch", "delete", "options"])
def test_no_other_request_leads_to_wechat_or_back(admin_client, client, method, wechat, verb):
    for page in pages_of(method):
        assert getattr(admin_client, verb)(page).status_code == 405
        assert getattr(client, verb)(page).status_code == 405
    assert_nothing_happened(wechat)


def test_nobody_logs_in_by_a_form(admin_client, wechat):
    response = admin_client.post(PAGE, {"identity_source": "acme-site", "person": "alice"})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert_nothing_happened(wechat)


def test_a_machine_has_no_page(site, admin_client, client):
    method = builders.offer(site.machine, site.source, way="website_qr")
    page = "/experience/acme-machine"

    for address in (page, f"{page}/callback", f"{page}/wechat/{method.pk}"):
        assert admin_client.get(address).status_code == 404
        assert client.get(f"{address}?share={share(site.machine)}").status_code == 404


def test_a_mini_program_has_no_way_through_a_browser(acme, admin_client, wechat):
    page = "/experience/acme-shop"

    for address in (f"{page}/callback", f"{page}/wechat/{acme.method.pk}"):
        assert admin_client.get(address).status_code == 404
    assert_nothing_happened(wechat)


def test_a_method_of_another_application_leads_nowhere(acme, site, globex, admin_client):
    other = site.spa.login_methods.get()

    for method in (other, acme.method, globex.method):
        assert admin_client.get(f"{PAGE}/wechat/{method.pk}").status_code == 404
    assert admin_client.get(f"{PAGE}/wechat/not-a-method").status_code == 404
    assert LoginEvent.objects.count() == 0


# Who wasn't sent


def assert_astray(response, wechat):
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "This login was begun elsewhere" in response.content.decode()
    assert_nothing_happened(wechat)


@pytest.mark.parametrize("state", [None, "", "0" * 64, "a\x00b", "状态", "a" * 5000])
def test_a_state_that_is_missing_or_made_up_logs_nobody_in(admin_client, wechat, state):
    trip = set_out(admin_client)

    assert_astray(come_back(admin_client, trip, state=state), wechat)


def test_a_state_of_another_operators_session_logs_nobody_in(admin_client, ben, wechat):
    assert_astray(come_back(ben, set_out(admin_client)), wechat)


def test_a_state_ends_with_the_operators_session(acme, admin_client, wechat):
    trip = set_out(admin_client)
    again = signed_in(acme.pool.memberships.get().operator)

    assert_astray(come_back(again, trip), wechat)


def test_a_state_of_another_application_logs_nobody_in(admin_client, wechat):
    theirs = set_out(admin_client, "/experience/acme-spa")
    ours = set_out(admin_client)

    assert_astray(come_back(admin_client, ours, state=theirs.state), wechat)


def test_an_operators_state_is_of_no_use_to_a_guest_nor_the_other_way_round(
    admin_client, client, shared_site, wechat
):
    operators, guests = set_out(admin_client), set_out(client, shared_site)

    assert_astray(come_back(client, guests, state=operators.state), wechat)
    assert_astray(come_back(admin_client, operators, state=guests.state), wechat)


def test_a_state_of_another_link_is_of_no_use(site, client, shared_site, wechat):
    earlier = set_out(client, shared_site)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        later = set_out(client, f"{PAGE}?share={share(site.web)}")

        assert earlier.state != later.state
        assert_astray(come_back(client, later, state=earlier.state), wechat)


def test_a_state_is_of_one_method_and_its_code_of_one_source(admin_client, second):
    """So that no source gets the code of another (RFC 9700 §4.4)."""
    first, other = set_out(admin_client), set_out(admin_client, number=1)
    assert first.state != other.state

    response = come_back(admin_client, other, code=confirmed())

    assert refused(response) == "invalid_code"
    assert LoginEvent.objects.get().identity_source == second.identity_source


# Who brings no good code


@pytest.mark.parametrize("code", [None, "", "not a code!", "a" * 257, "%00"])
def test_who_refused_in_wechat_is_told_so(admin_client, wechat, code):
    response = come_back(admin_client, set_out(admin_client), code=code)

    text = Page(response).text
    assert "You didn't confirm in WeChat." in text
    assert "Log in with WeChat" in text
    assert_nothing_happened(wechat)


def test_a_code_that_wechat_doesnt_know_is_refused(admin_client):
    response = come_back(admin_client, set_out(admin_client), code="made-up")

    assert refused(response) == "invalid_code"
    assert "Please try again." in Page(response).text


def test_a_code_of_a_mini_program_is_refused(admin_client):
    code = builders.wx_login(app_id=SITE_APP_ID)

    assert refused(come_back(admin_client, set_out(admin_client), code=code)) == "invalid_code"


def test_a_code_is_taken_once(admin_client):
    trip, code = set_out(admin_client), confirmed()
    come_back(admin_client, trip, code=code)

    assert refused(come_back(admin_client, trip, code=code)) == "code_already_used"
    assert [event["error"] for event in events()] == ["", "code_already_used"]
    assert Session.objects.count() == 1


# What is switched off


def switch_application_off(method):
    Application.objects.filter(pk=method.application_id).update(enabled=False)


def switch_source_off(method):
    IdentitySource.objects.filter(pk=method.identity_source_id).update(enabled=False)


def archive_source(method):
    IdentitySource.objects.filter(pk=method.identity_source_id).update(archived_at=timezone.now())


def switch_method_off(method):
    LoginMethod.objects.filter(pk=method.pk).update(enabled=False)


OFF = [
    (switch_application_off, "application_disabled"),
    (switch_source_off, "identity_source_disabled"),
    (archive_source, "login_method_disabled"),
    (switch_method_off, "login_method_disabled"),
]


@pytest.mark.parametrize(("switch_off", "error"), OFF)
def test_what_is_off_is_told_before_wechat_is_asked(
    admin_client, method, wechat, switch_off, error
):
    switch_off(method)

    response = admin_client.get(f"{PAGE}/wechat/{method.pk}")

    assert refused(response) == error
    assert "Stopped here" in Page(response).text
    (recorded,) = events()
    assert (recorded["door"], recorded["error"]) == ("experience", error)
    assert wechat.calls == []


@pytest.mark.parametrize(("switch_off", "error"), OFF)
def test_what_was_switched_off_meanwhile_is_told(admin_client, method, wechat, switch_off, error):
    trip = set_out(admin_client)
    switch_off(method)

    response = come_back(admin_client, trip)

    assert refused(response) == error
    assert events()[0]["door"] == "experience"
    assert wechat.calls == []


def test_a_sandbox_source_is_off_where_there_is_no_sandbox(admin_client, method, settings):
    settings.WECHAT_SANDBOX = False

    response = admin_client.get(f"{PAGE}/wechat/{method.pk}")

    assert refused(response) == "identity_source_disabled"


@pytest.mark.parametrize("switch_off", [switch_method_off, archive_source])
def test_what_the_application_no_longer_offers_has_no_button(admin_client, method, switch_off):
    switch_off(method)

    page = see(admin_client, PAGE)

    assert starts(admin_client) == []
    assert "offers no way to log in from a browser" in page.text
    assert any(link.endswith("#login_methods") for link in page.links)


def test_a_method_that_slipped_past_every_form_is_refused(acme, site, admin_client, wechat):
    odd = builders.offer(site.web, acme.source, way="website_qr", position=1)

    response = admin_client.get(f"{PAGE}/wechat/{odd.pk}")

    assert refused(response) == "login_method_disabled"
    assert wechat.calls == []


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


def test_whoever_was_refused_too_often_waits_and_nothing_is_recorded(
    admin_client, settings, wechat
):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    trip = set_out(admin_client)
    come_back(admin_client, trip, code="made-up")

    response = come_back(admin_client, trip)

    assert refused(response) == "too_many_requests"
    assert response.context["event"] is None
    assert "too many refused attempts" in Page(response).text
    assert [event["error"] for event in events()] == ["invalid_code"]
    assert len(wechat.calls) == 1


# Guests


def test_a_guest_goes_and_comes_back_as_a_guest(client, shared_site):
    response = try_out(client, page=shared_site)

    assert "Alice Chen is now a user of Acme" in Page(response).text
    assert response.context["visitor"].is_guest
    assert "/console" not in response.content.decode()
    assert "share=" in starts(client, shared_site)[0]


def test_other_operators_with_a_link_are_guests_all_the_way(
    viewer_client, stranger_client, shared_site
):
    for guest in (viewer_client, stranger_client):
        response = try_out(guest, page=shared_site)

        assert response.context["attempt"].succeeded
        assert response.context["visitor"].is_guest


def test_a_guest_without_the_link_on_the_way_back_is_a_stranger(client, shared_site, wechat):
    trip = set_out(client, shared_site)

    response = come_back(client, trip, share=None)

    assert response["Location"] == f"/console/login/?next={PAGE}"
    assert_nothing_happened(wechat)


def test_a_link_ends_on_the_way_as_well(client, shared_site, wechat):
    trip = set_out(client, shared_site)

    with time_machine.travel(timezone.now() + LINK_LIVES + timedelta(seconds=2)):
        assert come_back(client, trip).status_code == 404
    assert_nothing_happened(wechat)


def test_a_guest_cannot_use_a_live_source(site, client, method, live_method, shared_site):
    assert len(starts(client, shared_site)) == 1
    assert "The real site" not in see(client, shared_site).text

    address = f"{PAGE}/wechat/{live_method.pk}?share={share(site.web)}"
    assert client.get(address).status_code == 404
    method.delete()
    assert client.get(shared_site).status_code == 404
    assert LoginEvent.objects.count() == 0


@pytest.mark.parametrize("switch_off", [switch_method_off, archive_source])
def test_a_link_leads_nowhere_where_no_sandbox_is_offered(
    client, method, shared_site, wechat, switch_off
):
    trip = set_out(client, shared_site)
    start = starts(client, shared_site)[0]
    switch_off(method)

    assert client.get(shared_site).status_code == 404
    assert client.get(start).status_code == 404
    assert come_back(client, trip).status_code == 404
    assert_nothing_happened(wechat)


def test_a_link_is_offered_for_the_sandbox_alone(admin_client, client, method, live_method):
    link = see(admin_client, PAGE).text.partition("?share=")[2].split()[0]
    assert see(client, f"{PAGE}?share={link}").links

    method.delete()

    assert admin_client.get(PAGE).context["share_link"] == ""


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
    assert set_out(admin_client, number=1).sent["appid"] == SECOND_APP_ID


@pytest.mark.parametrize("client_id", ["acme-web", "acme-spa", "acme-native"])
def test_the_browser_goes_to_the_sandbox_and_comes_back(admin_client, client_id):
    page = f"/experience/{client_id}"

    trip = set_out(admin_client, page)
    response = come_back(admin_client, trip)

    own = django_settings.PUBLIC_URL
    assert trip.at == f"{own}/sandbox/connect/qrconnect"
    assert trip.redirect_uri == f"{own}{page}/callback"
    assert trip.sent["appid"] == SITE_APP_ID
    assert len(trip.state) == 64
    assert set(trip.state) <= set("0123456789abcdef")
    assert response.context["attempt"].succeeded
    assert events()[0]["application__client_id"] == client_id


def test_wechat_speaks_the_operators_language(admin_client):
    chinese = admin_client.get(starts(admin_client)[0], headers={"Accept-Language": "zh-CN"})

    assert "lang=cn" in chinese["Location"]
    assert set_out(admin_client).sent["lang"] == "en"


def test_a_live_website_is_scanned_at_wechats_own_page(admin_client, live_method, live):
    live.get(f"{LIVE_URL}/sns/oauth2/access_token", json=LIVE_ANSWER)

    trip = set_out(admin_client, number=1)
    response = come_back(admin_client, trip, code="a-real-code")

    assert trip.at == "https://open.weixin.qq.com/connect/qrconnect"
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


def test_an_older_event_of_the_same_request_id_is_not_shown(admin_client, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    trip = set_out(admin_client)
    headers = {"X-Request-ID": "the-same-request-id"}
    first = admin_client.get(CALLBACK, {"code": "made-up", "state": trip.state}, headers=headers)

    second = admin_client.get(CALLBACK, {"code": confirmed(), "state": trip.state}, headers=headers)

    assert first.context["event"].request_id == "the-same-request-id"
    assert second.context["event"] is None


def test_nothing_is_left_but_a_session_that_has_ended(admin_client):
    before = dict(admin_client.cookies)

    response = try_out(admin_client)

    session = Session.objects.get()
    assert (session.end_reason, session.browser_session) == ("experience_ended", None)
    assert session.ended_at == session.auth_time
    assert LoginEvent.objects.get().sid == session.pk
    for model in (AuthorizationCode, BrowserSession, RefreshToken, WeChatTrip):
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


# The page


@pytest.mark.parametrize("ending", ["logged in", "refused", "astray", "to WeChat"])
def test_no_page_is_stored_framed_or_runs_anything_foreign(admin_client, ending):
    trip = set_out(admin_client)
    response = {
        "logged in": lambda: come_back(admin_client, trip),
        "refused": lambda: come_back(admin_client, trip, code="made-up"),
        "astray": lambda: come_back(admin_client, trip, state="x"),
        "to WeChat": lambda: admin_client.get(starts(admin_client)[0]),
    }[ending]()

    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_no_code_state_or_identity_is_shown_or_kept(admin_client):
    trip, code = set_out(admin_client), confirmed()

    response = come_back(admin_client, trip, code=code)

    kept = json.dumps(list(LoginEvent.objects.values()), default=str)
    hidden = (code, trip.state, openid_of(SITE_APP_ID, "alice"), unionid_of(SITE_APP_ID, "alice"))
    for secret in hidden:
        assert secret not in response.content.decode()
        assert secret not in kept


def test_another_language_is_chosen_without_logging_in_again(admin_client, client, shared_site):
    """The page's own address holds a code that was used."""
    mine, guests = try_out(admin_client), try_out(client, page=shared_site)

    assert Page(mine).form_to("setlang/").fields["next"] == PAGE
    assert Page(guests).form_to("setlang/").fields["next"] == shared_site.replace(":", "%3A")


def test_hostile_names_are_text(admin_client: GuardedClient, second):
    script = "<script>alert(1)</script>"
    Application.objects.update(name=script)
    IdentitySource.objects.update(display_name=script)

    for response in (admin_client.get(PAGE), try_out(admin_client)):
        assert script not in response.content.decode()
        assert script in Page(response).text

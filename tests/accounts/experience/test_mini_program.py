"""An experience login is the very REST call, marked as a test, whose tokens open nothing."""

import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from accounts.experience.mini_program import attempt_login
from accounts.login import rules as login
from accounts.models import LinkedAccount, LoginEvent, RefreshToken, Session, User
from accounts.sessions.tokens import TokenSet
from identity_sources.models import IdentitySource
from identity_sources.sandbox import Fault, FaultKind, openid_of, sandbox_app_secret, unionid_of
from identity_sources.sandbox.faults import refusal as wechat_refuses
from identity_sources.wechat.shapes import MOCK_CODE
from tests.accounts.experience.mini_program_page import PAGE, paste, press
from tests.support import builders
from tests.support.client import signed_in
from tests.support.pages import Page
from tests.support.records import events, linked_rows
from tests.support.secret_scanner import Scanner
from tests.support.wechat import LIVE_URL

SHOP, UNBOUND = builders.MINI_APP_ID, builders.UNBOUND_APP_ID
LIVE_OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
# As WeChat documents them.
GOOD = {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=", "openid": LIVE_OPENID}
USED = {"errcode": 40163, "errmsg": "code been used, rid: 6527b5a5-3c8d1f9e-2a4b6c8d"}
WRONG_SECRET = "another client secret of more than 32 characters"


@dataclass
class Issued:
    """The tokens that were made, overheard."""

    tokens: list[TokenSet] = field(default_factory=list)


@pytest.fixture
def issued(monkeypatch):
    overheard = Issued()
    issue = login.issue_tokens

    def issue_and_tell(*args, **kwargs):
        tokens = issue(*args, **kwargs)
        overheard.tokens.append(tokens)
        return tokens

    monkeypatch.setattr(login, "issue_tokens", issue_and_tell)
    return overheard


@pytest.fixture
def ben(acme):
    """The browser of a second administrator."""
    return signed_in(builders.make_operator("ben", acme.pool))


@pytest.fixture
def once(live):
    """WeChat as it is: it takes each code once."""
    seen = set()

    def answer(request):
        code = request.params["js_code"]
        body = USED if code in seen else GOOD
        seen.add(code)
        return 200, {}, json.dumps(body)

    live.add_callback("GET", f"{LIVE_URL}/sns/jscode2session", answer)
    return live


@pytest.fixture
def safe_page(acme):
    """The page of a mini program application that proves itself by a secret."""
    safe = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(safe, acme.source)
    return "/experience/acme-safe"


def refused(response):
    """Return the refusal's word, which the page shows, too."""
    attempt = response.context["attempt"]
    assert not attempt.succeeded
    page = Page(response).text
    assert "The person isn't logged in" in page
    assert attempt.error in page
    return attempt.error


# Before WeChat is asked


def test_a_call_that_names_nothing_recordable_shows_why_and_no_event(
    admin_client, live_source, live
):
    response = paste(admin_client, "not a code!")

    assert refused(response) == "invalid_request"
    assert response.context["event"] is None
    assert "is not a code of wx.login" in Page(response).text
    assert "marked as a test" not in Page(response).text
    assert (LoginEvent.objects.count(), len(live.calls)) == (0, 0)


def test_the_developer_tools_mock_code_is_named(admin_client, live_source, live):
    text = Page(paste(admin_client, MOCK_CODE)).text

    assert "developer tools' mock code" in text
    assert len(live.calls) == 0


@pytest.mark.parametrize("name", ["the-same-request-id", "0123456789"])
def test_an_older_event_of_the_same_request_id_is_not_shown(admin_client, live_source, live, name):
    headers = {"X-Request-ID": name}
    earlier = press(admin_client, "mallory", headers=headers)
    assert earlier.context["event"].request_id == name

    response = paste(admin_client, "not a code!", headers=headers)

    assert response.context["event"] is None
    assert "risk control" not in response.context["headline"]


def test_an_event_of_another_application_is_not_shown(acme, admin_client, log_in, live_source):
    with_id = {"X-Request-ID": "the-same-request-id"}
    other = builders.make_application(acme.pool, client_id="acme-other")
    builders.offer(other, live_source)
    press(admin_client, headers=with_id)

    response = paste(admin_client, "not a code!", page="/experience/acme-other", headers=with_id)

    assert response.context["event"] is None


@pytest.mark.usefixtures("frozen_clock")
def test_whoever_was_refused_too_often_waits_and_sees_no_older_event(admin_client, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    assert refused(press(admin_client, "mallory")) == "wechat_user_blocked"

    response = press(admin_client)

    assert refused(response) == "too_many_requests"
    assert response.context["event"] is None
    assert "too many refused attempts" in Page(response).text
    assert LoginEvent.objects.count() == 1


@pytest.mark.usefixtures("frozen_clock")
def test_attempts_count_against_the_visitors_own_address(acme, admin_client, settings):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "1/day"
    press(admin_client, "mallory")

    elsewhere = admin_client.post(
        PAGE, {"identity_source": "acme-mini", "person": "alice"}, REMOTE_ADDR="192.0.2.7"
    )

    assert elsewhere.context["attempt"].succeeded


def switch_application_off(acme):
    acme.application.enabled = False
    acme.application.save()


def switch_source_off(acme):
    acme.source.enabled = False
    acme.source.save()


def close_registration(acme):
    acme.source.registration = IdentitySource.Registration.CLOSED
    acme.source.save()


def suspend(acme):
    make_alice(acme, status=User.Status.SUSPENDED)


def close(acme):
    make_alice(acme, status=User.Status.CLOSED)


def occupy_unionid(acme):
    user = builders.make_user(acme.pool)
    link(user, openid="oSANDBOX_somebody_else", unionid=unionid_of(SHOP, "alice"))
    link(user, unionid=unionid_of(SHOP, "alice"))


def make_alice(acme, **fields):
    user = builders.make_user(acme.pool, **fields)
    link(user, openid=openid_of(SHOP, "alice"))
    return user


def link(user, *, openid="", unionid=""):
    LinkedAccount.objects.create(
        pool=user.pool,
        user=user,
        kind="openid" if openid else "unionid",
        app_id=SHOP if openid else "",
        openid=openid,
        unionid=unionid,
        first_seen_at=user.created_at,
        last_seen_at=user.created_at,
    )


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (switch_application_off, "application_disabled"),
        (switch_source_off, "identity_source_disabled"),
        (close_registration, "registration_closed"),
        (suspend, "user_suspended"),
        (close, "account_closed"),
        (occupy_unionid, "identity_conflict"),
    ],
)
def test_the_page_refuses_as_the_door_does(acme, admin_client, log_in, prepare, error):
    prepare(acme)
    at_the_door = log_in(identity_source="acme-mini").json()

    response = press(admin_client)

    assert refused(response) == error == at_the_door["error"]
    attempt = response.context["attempt"]
    assert attempt.error_description == at_the_door["error_description"]
    mine, theirs = events()[1], events()[0]
    for own in ("request_id", "occurred_at", "wechat_milliseconds"):
        mine.pop(own)
        theirs.pop(own)
    assert mine == theirs | {"door": "experience"}
    assert Session.objects.count() == 0


@pytest.mark.parametrize("change", ["method", "source"])
def test_what_was_switched_off_meanwhile_is_no_longer_a_choice(acme, admin_client, change):
    if change == "method":
        acme.method.enabled = False
        acme.method.save()
    else:
        acme.source.archived_at = timezone.now()
        acme.source.save()

    response = press(admin_client)

    assert "attempt" not in response.context
    assert "this application offers no identity source" in Page(response).text
    assert LoginEvent.objects.count() == 0


def test_of_two_sources_the_one_that_is_gone_is_said_to_be_no_choice(
    acme, admin_client, live_source
):
    acme.method.delete()

    response = press(admin_client)

    assert "acme-mini is not one of the available choices" in Page(response).text
    assert LoginEvent.objects.count() == 0


def test_a_sandbox_source_is_switched_off_where_there_is_no_sandbox(admin_client, settings):
    settings.WECHAT_SANDBOX = False

    assert refused(press(admin_client)) == "identity_source_disabled"


@pytest.mark.parametrize("secret", [None, "", WRONG_SECRET])
def test_a_confidential_application_without_its_secret_is_refused(admin_client, safe_page, secret):
    response = press(admin_client, page=safe_page, client_secret=secret)

    assert refused(response) == "invalid_client"
    assert response.context["event"].error == "invalid_client"
    assert WRONG_SECRET not in response.content.decode()


def test_a_confidential_application_gets_in_by_its_secret_which_is_never_shown(
    admin_client, safe_page
):
    response = press(admin_client, page=safe_page, client_secret=builders.CLIENT_SECRET)

    assert response.context["attempt"].succeeded
    assert builders.CLIENT_SECRET not in response.content.decode()
    assert builders.CLIENT_SECRET not in str(LoginEvent.objects.values())


# Refused by WeChat, or not answered


def test_whom_wechat_blocks_is_refused_and_told_apart(admin_client):
    response = press(admin_client, "mallory")

    assert refused(response) == "wechat_user_blocked"
    text = Page(response).text
    assert "40226" in text
    assert "Refused: WeChat's risk control doesn't let this person log in." in text
    assert "Mallory Ma is now" not in text
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        (wechat_refuses(40125), "identity_source_misconfigured", "AppSecret"),
        (wechat_refuses(40164), "identity_source_misconfigured", "40164"),
        (wechat_refuses(45011), "too_many_requests", "45011"),
        (wechat_refuses(41002), "server_error", "41002"),
        (Fault(FaultKind.READ_TIMEOUT), "wechat_unavailable", "no answer in time"),
        (Fault(FaultKind.HTML_PAGE), "wechat_unavailable", "can't be read"),
        (Fault(FaultKind.EMPTY_BODY), "wechat_unavailable", "an empty answer"),
    ],
)
def test_wechats_failures_are_told(admin_client, wechat, fault, error, told):
    wechat.script(fault)

    response = press(admin_client)

    assert refused(response) == error
    assert told in Page(response).text


def test_hostile_words_of_wechats_are_text(admin_client, wechat):
    wechat.script(wechat_refuses(40029, "<script>alert(1)</script> & <img src=x onerror=y>"))

    response = press(admin_client)

    assert "<script>alert" not in response.content.decode()
    assert "<img src=x" not in response.content.decode()
    assert "<script>alert(1)</script> & <img src=x" in Page(response).text


def test_an_answer_with_fields_of_any_name_is_shown(admin_client, live_source, live):
    """A template that looks into the answer would find its fields in place of its methods."""
    hostile = GOOD | {"items": "x", "keys": [1], "<b>": "y", "get": None}
    live.get(f"{LIVE_URL}/sns/jscode2session", json=hostile)

    response = paste(admin_client, "a-real-code")

    assert response.context["attempt"].succeeded
    assert "items: ***" in Page(response).text


def test_a_cache_that_is_away_is_told(admin_client, absent_cache, caplog):
    assert refused(press(admin_client)) == "service_unavailable"


def test_a_fault_of_the_server_is_told_and_logged(admin_client, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(login, "issue_tokens", fail)

    assert refused(press(admin_client)) == "server_error"
    assert "a fault of ours" in caplog.text


# Logged in


def test_a_new_person_becomes_a_user(acme, admin_client):
    response = press(admin_client)

    page, user = Page(response), User.objects.get()
    assert "Alice Chen is now a user of Acme" in page.text
    assert "Welcome, Alice Chen" in page.text
    assert f"/console/acme/users/{user.pk}/change/" in page.links
    assert f"/console/acme/events/{LoginEvent.objects.get().pk}/change/" in page.links
    assert user.pool == acme.pool
    for step in ("Request received", "WeChat asked: jscode2session", "Identity read"):
        assert step in page.text
    for step in ("User created", "Tokens issued", "marked as a test"):
        assert step in page.text


def test_the_pages_links_lead_to_pages(admin_client):
    page = Page(press(admin_client))

    inside = [link for link in page.links if link.startswith("/console/")]
    assert len(inside) == 4
    assert {admin_client.get(link).status_code for link in inside} == {200}


def test_a_known_person_is_welcomed_back(admin_client):
    press(admin_client)

    text = Page(press(admin_client)).text

    assert "Welcome back" in text
    assert "Known by the OpenID." in text
    assert "is now a user" not in text
    assert User.objects.count() == 1


def test_an_end_user_and_the_person_of_the_page_are_one(admin_client, log_in):
    log_in()

    press(admin_client)

    assert [event["door"] for event in events()] == ["rest", "experience"]
    assert User.objects.count() == 1


def test_a_person_without_a_unionid_is_told_what_that_means(acme, admin_client):
    unbound = builders.make_source(acme.pool, identifier="acme-unbound", app_id=UNBOUND)
    builders.offer(acme.application, unbound, position=1)

    text = Page(press(admin_client, identity_source="acme-unbound")).text

    assert "WeChat gave an OpenID and no UnionID." in text
    assert "bind the app to your WeChat Open Platform account" in text
    assert linked_rows() == {("openid", UNBOUND, openid_of(UNBOUND, "alice"), "")}


def test_a_person_who_gives_the_phone_number_has_it(admin_client):
    text = Page(press(admin_client, with_phone="on")).text

    assert "WeChat gave the number, and it was stored." in text
    assert User.objects.get().phone_number == "+8613800138001"


def test_a_person_without_a_number_gives_none(admin_client):
    response = press(admin_client, "dave", with_phone="on")

    assert response.context["attempt"].succeeded
    assert "Phone number" not in Page(response).text
    assert User.objects.get().phone_number == ""


def test_a_number_that_somebody_has_is_told_to_be_taken(acme, admin_client):
    builders.make_user(
        acme.pool, phone_number="+8613800138001", phone_number_verified_at=timezone.now()
    )

    assert "Another user has this number" in Page(press(admin_client, with_phone="on")).text


def test_the_second_of_two_sandbox_sources_is_the_one_that_was_pressed(acme, admin_client):
    second = builders.make_source(
        acme.pool, identifier="acme-second", app_id=builders.SECOND_MINI_APP_ID
    )
    builders.offer(acme.application, second, position=1)

    press(admin_client, identity_source="acme-second")

    assert LoginEvent.objects.get().identity_source == second


# Real codes


def test_a_real_code_logs_in(admin_client, live_source, once):
    response = paste(admin_client, " a-real-code ")

    assert response.context["attempt"].created
    assert "A new user: nobody had this WeChat account." in Page(response).text
    assert [call.request.params["js_code"] for call in once.calls] == ["a-real-code"]


def test_a_sandbox_person_is_not_named_for_a_real_code(admin_client, live_source, once):
    text = Page(press(admin_client, identity_source="acme-live", code="a-real-code")).text

    assert "Alice Chen is now" not in text
    assert "Welcome, Alice" not in text


def test_a_real_code_is_of_no_use_at_a_sandbox_source(admin_client, wechat):
    response = press(admin_client, None, code="a-real-code")

    assert "attempt" not in response.context
    assert "Pick who holds the phone." in Page(response).text
    assert wechat.calls == []


def test_a_sandbox_code_is_of_no_use_at_a_live_source(admin_client, live_source, live):
    live.get(f"{LIVE_URL}/sns/jscode2session", json=GOOD | {"openid": openid_of(SHOP, "alice")})

    assert refused(paste(admin_client, builders.wx_login())) == "wechat_unavailable"
    assert User.objects.count() == 0


def test_a_code_that_is_too_long_makes_no_call(admin_client, live_source, live):
    response = paste(admin_client, "a" * 257)

    assert "at most 256 characters" in Page(response).text
    assert "attempt" not in response.context


def test_a_used_code_is_told(admin_client, live_source, live):
    live.get(f"{LIVE_URL}/sns/jscode2session", json=USED)

    response = paste(admin_client, "a-real-code")

    assert refused(response) == "code_already_used"
    assert "6527b5a5-3c8d1f9e-2a4b6c8d" in Page(response).text


def test_a_code_pasted_twice_is_repeated_for_the_same_operator(admin_client, live_source, once):
    paste(admin_client, "a-real-code")

    text = Page(paste(admin_client, "a-real-code")).text

    assert "The same code came a second time" in text
    assert len(once.calls) == 2


def test_a_code_of_one_operators_session_is_of_no_use_in_another(
    acme, admin_client, ben, live_source, once
):
    paste(admin_client, "a-real-code")

    assert refused(paste(ben, "a-real-code")) == "code_already_used"
    assert len(once.calls) == 2


def test_a_code_is_of_no_use_once_the_operator_has_signed_in_anew(
    acme, admin_client, live_source, once
):
    paste(admin_client, "a-real-code")
    again = signed_in(acme.pool.memberships.get().operator)

    assert refused(paste(again, "a-real-code")) == "code_already_used"


def test_a_code_of_the_page_is_of_no_use_at_the_rest_door(admin_client, live_source, once, log_in):
    paste(admin_client, "a-real-code")

    answer = log_in(code="a-real-code", identity_source="acme-live").json()

    assert answer["error"] == "code_already_used"


def test_a_code_of_the_rest_door_is_of_no_use_on_the_page(admin_client, live_source, once, log_in):
    log_in(code="a-real-code", identity_source="acme-live")

    assert refused(paste(admin_client, "a-real-code")) == "code_already_used"


# What is left of it


def test_the_session_ends_at_once_and_no_other_does(admin_client, log_in):
    log_in()

    press(admin_client)

    earlier, experienced = Session.objects.order_by("pk")
    assert earlier.ended_at is None
    assert experienced.ended_at is not None
    assert experienced.end_reason == Session.EndReason.EXPERIENCE_ENDED
    assert LoginEvent.objects.latest("pk").sid == experienced.pk


def test_the_tokens_open_nothing(admin_client, client, issued, log_in):
    log_in()
    press(admin_client)

    usual, experienced = issued.tokens
    assert me(client, usual).status_code == 200
    assert me(client, experienced).status_code == 401
    assert refresh(client, usual).status_code == 200
    answer = refresh(client, experienced)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert RefreshToken.objects.filter(session__end_reason="experience_ended").count() == 1


def me(client, tokens):
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens.access_token}"})


def refresh(client, tokens):
    fields = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    return client.post(
        "/oidc/acme/token",
        urlencode(fields | {"client_id": "acme-shop"}),
        content_type="application/x-www-form-urlencoded",
    )


def test_no_token_code_secret_identity_or_number_is_shown_kept_or_logged(
    acme,
    admin_client,
    client,
    safe_page,
    shared_page,
    issued,
    wechat,
    plain_log,
):
    shown = [
        press(admin_client, with_phone="on"),
        press(admin_client, page=safe_page, client_secret=builders.CLIENT_SECRET),
        press(admin_client, "bob", page=safe_page, client_secret=WRONG_SECRET),
        press(admin_client, "mallory"),
        press(client, page=shared_page),
    ]
    assert len(issued.tokens) == 3
    secrets = {builders.CLIENT_SECRET, WRONG_SECRET, sandbox_app_secret(SHOP), "13800138001"}
    secrets |= {openid_of(SHOP, "alice"), unionid_of(SHOP, "alice")}
    for tokens in issued.tokens:
        secrets |= {tokens.access_token, tokens.id_token, tokens.refresh_token}
        secrets |= {tokens.access_token.rpartition(".")[2], tokens.id_token.split(".")[1]}
    for request, answer in wechat.exchanges:
        secrets |= {request.query[name] for name in ("js_code", "code") if name in request.query}
        told = {} if answer.fault else json.loads(answer.body)
        secrets |= {told[name] for name in ("session_key", "access_token") if name in told}
    scanner = Scanner(secrets)

    for response in shown:
        assert response.status_code == 200
        assert scanner.found_in(response.content) == set()
    assert scanner.found_in(json.dumps(list(LoginEvent.objects.values()), default=str)) == set()
    assert scanner.found_in(plain_log.getvalue()) == set()


def test_no_token_leaves_the_module(acme, issued):
    fields = {"code": builders.wx_login()}
    attempt = attempt_login(acme.application, fields, address="127.0.0.1", bound_to="a session")

    assert attempt.succeeded
    for token in (issued.tokens[0].access_token, issued.tokens[0].refresh_token):
        assert token not in repr(attempt)
    assert set(vars(attempt)) == {"event", "succeeded", "created", "error", "error_description"}


def test_requests_of_one_name_at_one_moment_each_end_their_own_session(
    threaded_database, together, acme
):
    """Who calls chooses the request's name, and may choose it twice."""
    browsers = [signed_in(builders.make_operator(f"ada-{n}", acme.pool)) for n in range(6)]
    headers = {"X-Request-ID": "the-same-request-id"}

    answers = together(lambda browser: press(browser, headers=headers), browsers)

    assert {answer.status_code for answer in answers} == {200}
    assert Session.objects.count() == 6
    assert not Session.objects.filter(ended_at__isnull=True).exists()

"""The mini program's login door: every refusal of the REST contract, and what it leaves behind."""

from datetime import UTC, datetime
from unittest.mock import ANY

import pytest
from django.db import OperationalError, connection

from accounts.models import User
from applications.rules import ApplicationType
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource
from identity_sources.sandbox import openid_of, unionid_of
from tests.support import builders
from tests.support.records import count_rows, events, refusal
from tests.support.wechat import LIVE_URL

WRONG_SECRET = "another client secret of more than 32 characters"
REFUSED_ROWS = {"accounts.LoginEvent": 1}
"""What a refusal writes before WeChat is asked."""


def error(word, **more):
    """The whole body of a refusal."""
    return {"error": word, "error_description": ANY, "request_id": ANY} | more


def assert_refused(response, status, word, **more):
    assert (response.status_code, response.json()) == (status, error(word, **more))


# Who may call


def test_an_unknown_application_is_refused_and_leaves_no_trace(acme, log_in, wechat):
    before = count_rows()

    response = log_in(client_id="nobody")

    assert_refused(response, 401, "invalid_client")
    assert count_rows() == before
    assert wechat.calls == []


@pytest.mark.parametrize("secret", [None, WRONG_SECRET, builders.CLIENT_SECRET.upper()])
def test_a_confidential_application_without_its_secret_is_refused(acme, log_in, wechat, secret):
    confidential = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(confidential, acme.source)
    before = count_rows()

    response = log_in(client_id="acme-safe", client_secret=secret)

    assert_refused(response, 401, "invalid_client")
    assert count_rows() - before == REFUSED_ROWS
    assert events() == [
        refusal(
            "invalid_client",
            application__client_id="acme-safe",
            identity_source__identifier=None,
            wechat_milliseconds=None,
        )
    ]
    assert wechat.calls == []


def test_unknown_application_and_wrong_secret_answer_alike(acme, log_in):
    builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )

    unknown = log_in(client_id="nobody", client_secret=WRONG_SECRET).json()
    wrong = log_in(client_id="acme-safe", client_secret=WRONG_SECRET).json()

    assert unknown | {"request_id": ""} == wrong | {"request_id": ""}


def test_an_expired_secret_is_refused(acme, log_in):
    confidential = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(confidential, acme.source)
    confidential.client_secrets.update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))

    response = log_in(client_id="acme-safe", client_secret=builders.CLIENT_SECRET)

    assert_refused(response, 401, "invalid_client")


def test_a_disabled_application_with_a_wrong_secret_says_nothing_of_being_disabled(acme, log_in):
    builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET, enabled=False
    )

    response = log_in(client_id="acme-safe", client_secret=WRONG_SECRET)

    assert_refused(response, 401, "invalid_client")


# What the operator switched off


def disable_application(acme):
    acme.application.enabled = False
    acme.application.save()


def disable_source(acme):
    acme.source.enabled = False
    acme.source.save()


def disable_method(acme):
    acme.method.enabled = False
    acme.method.save()


def remove_method(acme):
    acme.method.delete()


def archive_source(acme):
    acme.source.archived_at = datetime(2026, 1, 1, tzinfo=UTC)
    acme.source.save()


@pytest.mark.parametrize(
    ("switch_off", "word"),
    [
        (disable_application, "application_disabled"),
        (disable_source, "identity_source_disabled"),
        (disable_method, "login_method_disabled"),
        (remove_method, "login_method_disabled"),
        (archive_source, "login_method_disabled"),
    ],
)
@pytest.mark.parametrize("named", [None, "acme-mini"])
def test_what_is_switched_off_is_refused(acme, log_in, wechat, switch_off, word, named):
    switch_off(acme)
    before = count_rows()

    response = log_in(identity_source=named)

    assert_refused(response, 403, word)
    assert count_rows() - before == REFUSED_ROWS
    assert events() == [refusal(word, identity_source__identifier=None, wechat_milliseconds=None)]
    assert wechat.calls == []


def test_a_sandbox_source_is_switched_off_where_there_is_no_sandbox(acme, log_in, wechat, settings):
    settings.WECHAT_SANDBOX = False

    response = log_in()

    assert_refused(response, 403, "identity_source_disabled")
    assert wechat.calls == []


def test_a_source_that_exists_and_one_that_does_not_answer_alike(acme, globex, log_in):
    builders.make_source(acme.pool, identifier="acme-unoffered", app_id=builders.SECOND_MINI_APP_ID)

    answers = [
        log_in(identity_source=name).json() | {"request_id": ""}
        for name in ("acme-unoffered", "no-such-source", "globex-mini")
    ]

    assert answers == [error("login_method_disabled", request_id="")] * 3
    assert answers[0] == answers[1] == answers[2]


def test_the_source_of_another_pool_is_out_of_reach_though_the_application_is_known(
    acme, globex, log_in, wechat
):
    code = builders.wx_login("alice", builders.SECOND_MINI_APP_ID)

    response = log_in(code=code, identity_source="globex-mini")

    assert_refused(response, 403, "login_method_disabled")
    assert wechat.calls == []


@pytest.mark.parametrize("kind", sorted(set(ApplicationType) - {ApplicationType.MINI_PROGRAM}))
def test_an_application_of_another_type_cannot_use_the_mini_program_way(acme, log_in, wechat, kind):
    other = builders.make_application(acme.pool, client_id="acme-other", type=kind)
    # A row that slipped past every form.
    builders.offer(other, acme.source, way="mini_program")

    response = log_in(client_id="acme-other", identity_source="acme-mini")

    assert_refused(response, 403, "login_method_disabled")
    assert wechat.calls == []


def test_the_way_of_a_pc_scan_does_not_open_this_door(acme, log_in, wechat):
    web = builders.make_application(acme.pool, client_id="acme-web", type="web")
    builders.offer(web, acme.source)

    response = log_in(client_id="acme-web")

    assert_refused(response, 403, "login_method_disabled")
    assert wechat.calls == []


def test_among_several_sources_one_has_to_be_named(acme, log_in, wechat, live_source):
    before = count_rows()

    response = log_in()

    assert_refused(response, 400, "invalid_request")
    assert response.json()["error_description"].startswith("identity_source: ")
    assert count_rows() - before == REFUSED_ROWS
    assert events() == [
        refusal("invalid_request", identity_source__identifier=None, wechat_milliseconds=None)
    ]
    assert wechat.calls == []


def test_an_unknown_scope_is_refused_before_wechat_is_asked(acme, log_in, wechat):
    response = log_in(scope="openid admin")

    assert_refused(response, 400, "invalid_scope")
    assert events() == [
        refusal("invalid_scope", identity_source__identifier=None, wechat_milliseconds=None)
    ]
    assert wechat.calls == []


# Who may come in


def test_a_new_person_is_refused_where_people_can_only_log_in(acme, log_in):
    acme.source.registration = IdentitySource.Registration.CLOSED
    acme.source.save()
    before = count_rows()

    response = log_in()

    assert_refused(response, 403, "registration_closed")
    assert count_rows() - before == REFUSED_ROWS | {"accounts.CodeExchange": 1}
    assert events() == [refusal("registration_closed")]


@pytest.mark.parametrize(
    ("status", "word"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_a_user_who_is_not_active_is_refused(acme, log_in, status, word):
    log_in()
    User.objects.update(status=status)
    before = count_rows()

    response = log_in()

    assert_refused(response, 403, word)
    assert count_rows() - before == REFUSED_ROWS | {"accounts.CodeExchange": 1}
    assert events()[1:] == [refusal(word)]


def test_a_second_openid_of_one_app_is_a_conflict(acme, log_in):
    log_in()
    User.objects.get().linked_accounts.filter(kind="openid").update(openid="oSANDBOX_other")
    before = count_rows()

    response = log_in()

    assert_refused(response, 409, "identity_conflict")
    held = {"accounts.CodeExchange": 1, "accounts.Conflict": 1}
    assert count_rows() - before == REFUSED_ROWS | held
    assert events()[1:] == [refusal("identity_conflict")]


def test_an_event_names_the_request_by_which_an_answer_is_found(acme, log_in):
    welcome, refused = log_in(), log_in(code="never-issued")

    assert [row["request_id"] for row in events()] == [
        welcome["X-Request-ID"],
        refused.json()["request_id"],
    ]


# Identities of the wrong world


def answer_live(live, openid, unionid=None):
    session = {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=", "openid": openid}
    if unionid:
        session["unionid"] = unionid
    live.get(f"{LIVE_URL}/sns/jscode2session", json=session)


@pytest.mark.parametrize(
    ("openid", "unionid"),
    [
        (openid_of(builders.MINI_APP_ID, "alice"), None),
        ("o6_bmjrPTlm6_2sgVt7hMZOPfL2M", unionid_of(builders.MINI_APP_ID, "alice")),
    ],
)
def test_a_live_source_accepts_no_identity_of_the_sandbox(
    acme, live_source, live, log_in, openid, unionid
):
    answer_live(live, openid, unionid)
    before = count_rows()

    response = log_in(identity_source="acme-live")

    assert_refused(response, 503, "wechat_unavailable")
    assert count_rows() - before == REFUSED_ROWS | {"accounts.CodeExchange": 1}
    assert events() == [refusal("wechat_unavailable", identity_source__identifier="acme-live")]


def test_a_sandbox_source_accepts_no_live_identity(acme, log_in, wechat, monkeypatch):
    monkeypatch.setattr(
        "identity_sources.sandbox.emulator.openid_of", lambda *_: "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
    )

    response = log_in()

    assert_refused(response, 503, "wechat_unavailable")
    assert User.objects.count() == 0


def test_a_live_source_sends_its_own_credentials_and_accepts_a_live_identity(
    acme, live_source, live, log_in
):
    answer_live(live, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M")

    response = log_in(identity_source="acme-live", code="a-live-code")

    assert response.status_code == 200
    assert [call.request.params for call in live.calls] == [
        {
            "appid": builders.LIVE_APP_ID,
            "secret": builders.LIVE_APP_SECRET,
            "js_code": "a-live-code",
            "grant_type": "authorization_code",
        }
    ]


def test_a_live_source_is_usable_where_there_is_no_sandbox(
    acme, live_source, live, log_in, settings
):
    settings.WECHAT_SANDBOX = False
    answer_live(live, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M")

    assert log_in(code="a-live-code").status_code == 200


# Ourselves


def test_a_key_that_is_gone_is_our_fault_and_says_nothing_of_it(acme, log_in, settings, caplog):
    settings.ENCRYPTION_KEYS = (b"another key of thirty-two bytes.",)

    response = log_in()

    assert_refused(response, 500, "server_error")
    assert "ENCRYPTION_KEYS" in caplog.text
    assert "ENCRYPTION_KEYS" not in response.content.decode()


def test_a_cache_that_is_away_is_told_apart_from_wechat(acme, log_in, absent_cache, caplog):
    response = log_in()

    assert_refused(response, 503, "service_unavailable")
    assert response["Retry-After"] == "5"
    assert "127.0.0.1:1" in caplog.text


def test_a_database_that_is_away_is_told_apart_from_wechat(acme, log_in, caplog):
    def away(*_):
        raise OperationalError("the connection is closed")

    code = builders.wx_login()
    with connection.execute_wrapper(away):
        response = log_in(code=code)

    assert_refused(response, 503, "service_unavailable")
    assert response["Retry-After"] == "5"
    assert "the connection is closed" in caplog.text


# Codes of elsewhere


def test_a_code_of_another_app_is_of_no_use(acme, log_in):
    response = log_in(code=sandbox().wx_login("wxsandbox0000000ff", "alice"))

    assert_refused(response, 400, "invalid_code", wechat_errcode=40029, wechat_rid=ANY)


def test_the_application_of_another_pool_never_reaches_this_pools_source(acme, globex, log_in):
    response = log_in(client_id="globex-shop")

    assert_refused(response, 400, "invalid_code", wechat_errcode=40029, wechat_rid=ANY)
    assert [row["pool__identifier"] for row in events()] == ["globex"]

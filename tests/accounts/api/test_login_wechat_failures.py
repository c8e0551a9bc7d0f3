"""The mini program's login door: what each of WeChat's refusals and failures becomes."""

import time
from collections import Counter
from unittest.mock import ANY

import pytest

from accounts.models import CodeExchange, User
from identity_sources.sandbox import Fault, FaultKind
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.records import count_rows, event, events, refusal
from tests.support.wechat import LIVE_URL

UNAVAILABLE = (503, "wechat_unavailable", "5")
MISCONFIGURED = (502, "identity_source_misconfigured", None)
OUR_FAULT = (500, "server_error", None)
INVALID_CODE = (400, "invalid_code", None)

# wechat-api §10, by class; the errcodes of other calls are answered by their class as well.
ERRCODES = {
    INVALID_CODE: (40029, 42003, 87007, 87009),
    (400, "code_already_used", None): (40163,),
    (403, "wechat_user_blocked", None): (40226,),
    (429, "too_many_requests", "60"): (45011,),
    UNAVAILABLE: (-1, 44990, 44993, 45009, 85406),
    MISCONFIGURED: (
        *(40013, 40125, 40001, 40164, 61004, 40243, 48001, 48004, 50002, 50004, 50007, 89002),
        *range(89501, 89508),
        *(40014, 42001),  # an access token, which this call hasn't got
        *(40030, 42002, 42007, 50001, 50005),  # a consent, which this call doesn't need
        *(12345, -2, 99999),  # unknown
    ),
    OUR_FAULT: (
        *(40002, 40003, 40033, 47001, 47002, 40097, 44002, 43001, 43002, 43003),
        *(40129, 40169, 41030, 85096, 40159),
        *(41001, 41002, 41003, 41004, 41008, 41009, 87008),
    ),
}
REFUSED_ROWS = Counter({"accounts.LoginEvent": 1})
# These say that the source's settings are wrong, which is noted with its health.
ACCUSING = {
    *(40013, 40125, 40001, 40164, 61004, 40243, 48004, 50002, 50004, 50007),
    *range(89501, 89508),
}

# fault → how often WeChat is asked: once more only where it can't have seen the code
TRANSPORT_FAULTS = [
    (Fault(FaultKind.CONNECTION_REFUSED), 2),
    (Fault(FaultKind.CONNECT_TIMEOUT), 2),
    (Fault(FaultKind.CONNECTION_DROPPED), 1),
    (Fault(FaultKind.READ_TIMEOUT), 1),
    (latency(1), 1),
    (http_status(500), 1),
    (http_status(502), 1),
    (http_status(503), 1),
    (http_status(504), 1),
    (http_status(301), 1),
    (http_status(302), 1),
    (http_status(400), 1),
    (http_status(404), 1),
    (Fault(FaultKind.HTML_PAGE), 1),
    (Fault(FaultKind.EMPTY_BODY), 1),
    (Fault(FaultKind.TRUNCATED_JSON), 1),
]
BODIES = [
    b" ",
    b"null",
    b"[]",
    b'"ok"',
    b"{}",
    b'{"errcode":0,"errmsg":"ok"}',
    b'{"errcode":"abc"}',
    b'{"errcode":true}',
    b'{"errcode":40029.5}',
    b'{"session_key":"k","openid":""}',
    b'{"session_key":"k","openid":null}',
    b'{"session_key":"k","openid":7}',
    b'{"session_key":"k","openid":"o\\u0000o"}',
    b'{"session_key":"k","openid":"o\\ud800o"}',
    b'{"session_key":"k","openid":"' + b"o" * 129 + b'"}',
    b'{"session_key":"k","openid":"o6_bmjrPTlm6","unionid":7}',
    b'{"openid":"o6_bmjrPTlm6_2sgVt7hMZOPfL2M"}',
    b"[" * 100_000,
    b"{" + b" " * 1_100_000 + b"}",
]


def each_errcode():
    return [
        pytest.param(errcode, *outcome, id=f"{errcode}-{outcome[1]}")
        for outcome, errcodes in ERRCODES.items()
        for errcode in errcodes
    ]


def names(faults):
    return [f"{fault.kind}{fault.status or ''}" for fault, _ in faults]


@pytest.mark.parametrize(("errcode", "status", "word", "retry_after"), each_errcode())
def test_each_errcode_of_wechat_has_its_answer(
    acme, log_in, wechat, errcode, status, word, retry_after
):
    before = count_rows()
    wechat.script(wechat_refuses(errcode), times=2)

    response = log_in()

    assert response.status_code == status
    assert response.json() == {
        "error": word,
        "error_description": ANY,
        "request_id": ANY,
        "wechat_errcode": errcode,
        "wechat_rid": ANY,
    }
    assert response.headers.get("Retry-After") == retry_after
    failure = {"identity_sources.SourceFailure": 1} if errcode in ACCUSING else {}
    assert count_rows() - before == REFUSED_ROWS + Counter(failure)
    assert events() == [
        refusal(word, wechat_errcode=errcode, wechat_rid=response.json()["wechat_rid"])
    ]
    assert len(wechat.calls) == (2 if errcode == -1 else 1)


def test_a_blocked_person_is_refused_by_wechat_itself(acme, log_in):
    response = log_in("mallory")

    assert (response.status_code, response.json()["error"]) == (403, "wechat_user_blocked")
    assert User.objects.count() == 0


def test_a_wrong_app_secret_is_the_operators_to_mend(acme, log_in):
    acme.source.set_app_secret("0" * 32, now=acme.source.created_at)
    acme.source.save()

    response = log_in()

    assert (response.status_code, response.json()["wechat_errcode"]) == (502, 40125)
    assert "0" * 32 not in response.content.decode()


def test_a_code_of_the_phone_number_button_is_no_login_code(acme, log_in):
    response = log_in(code=builders.get_phone_number())

    assert (response.status_code, response.json()["error"]) == (400, "invalid_code")


def test_an_errcode_without_a_request_id_is_answered_without_one(acme, live_source, live, log_in):
    live.get(
        f"{LIVE_URL}/sns/jscode2session",
        body='{"errcode":"40029","errmsg":"invalid code"}',
        content_type="text/plain",
    )

    response = log_in(identity_source="acme-live")

    assert response.json() == {
        "error": "invalid_code",
        "error_description": ANY,
        "request_id": ANY,
        "wechat_errcode": 40029,
    }


@pytest.mark.parametrize(("fault", "calls"), TRANSPORT_FAULTS, ids=names(TRANSPORT_FAULTS))
def test_each_failure_of_the_line_says_that_wechat_is_unavailable(
    acme, log_in, wechat, settings, fault, calls
):
    settings.WECHAT_TIMEOUT_SECONDS = 0.05
    before = count_rows()
    wechat.script(fault, times=3)

    response = log_in()

    assert response.status_code == 503
    assert response.json() == {
        "error": "wechat_unavailable",
        "error_description": ANY,
        "request_id": ANY,
    }
    assert response["Retry-After"] == "5"
    assert count_rows() - before == REFUSED_ROWS
    assert events() == [refusal("wechat_unavailable")]
    assert len(wechat.calls) == calls


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40].decode())
def test_an_answer_that_cannot_be_read_logs_nobody_in(acme, live_source, live, log_in, body):
    live.get(f"{LIVE_URL}/sns/jscode2session", body=body, content_type="text/plain")

    response = log_in(identity_source="acme-live")

    assert (response.status_code, response.json()["error"]) == (503, "wechat_unavailable")
    assert User.objects.count() == 0


def test_a_redirect_is_not_followed(acme, live_source, live, log_in):
    live.get(
        f"{LIVE_URL}/sns/jscode2session",
        status=302,
        headers={"Location": "https://portal.invalid/"},
    )
    stolen = live.get("https://portal.invalid/", json={})

    response = log_in(identity_source="acme-live")

    assert response.status_code == 503
    assert stolen.call_count == 0


@pytest.mark.parametrize(
    "fault",
    [
        wechat_refuses(-1),
        Fault(FaultKind.CONNECTION_REFUSED),
        Fault(FaultKind.CONNECT_TIMEOUT),
    ],
    ids=lambda fault: fault.kind,
)
def test_one_failure_that_spares_the_code_goes_unnoticed(acme, log_in, wechat, fault):
    wechat.script(fault, times=1)

    response = log_in()

    assert (response.status_code, response.json()["created"]) == (200, True)
    assert wechat.calls == ["jscode2session"] * 2
    assert events() == [event()]


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.ERRCODE_ZERO,
        FaultKind.UNKNOWN_FIELDS,
        FaultKind.INVALID_UTF8,
        FaultKind.CONTROL_CHARACTER,
    ],
)
def test_harmless_oddities_of_an_answer_are_forgiven(acme, log_in, wechat, kind):
    wechat.script(Fault(kind))

    assert log_in().status_code == 200


def test_a_slow_answer_within_the_time_out_counts_and_is_measured(acme, log_in, wechat):
    wechat.script(latency(0.05))

    assert log_in().status_code == 200
    assert events()[0]["wechat_milliseconds"] >= 50


def test_a_late_answer_does_not_keep_the_caller_waiting(acme, log_in, wechat, settings):
    settings.WECHAT_TIMEOUT_SECONDS = 0.05
    wechat.script(latency(600))
    started = time.monotonic()

    assert log_in().status_code == 503
    assert time.monotonic() - started < 5


def test_a_spent_code_after_a_lost_answer_asks_for_a_new_one(acme, log_in, wechat):
    """WeChat took the code and its answer was lost: only the mini program can go on."""
    code = builders.wx_login()
    wechat.script(Fault(FaultKind.READ_TIMEOUT))

    first, second = log_in(code=code), log_in(code=code)

    assert (first.status_code, first.json()["error"]) == (503, "wechat_unavailable")
    assert (second.status_code, second.json()["error"]) == (400, "code_already_used")
    assert wechat.calls == ["jscode2session"] * 2
    assert CodeExchange.objects.count() == 0

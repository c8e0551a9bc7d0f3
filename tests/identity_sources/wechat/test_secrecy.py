"""No secret, code or token shows in an exception, a log or a record, whatever goes wrong."""

import json
import logging
import traceback

import pytest

from config.kernel.http import new_session
from identity_sources.wechat.errors import WeChatError

SECRETS = [
    "5ec4e75ec4e75ec4e75ec4e75ec4e75e",
    "0a1JsCodeOfAlice0000000000a1Js00",
    "99_AccessTokenOfAcme-0000000000",
    "c0deofa11cesphone",
    "oFAKEfake0000000000000000001",
    "AAECAwQFBgcICQoLDA0ODw==",
]
BAD_ANSWERS = {
    "no answer": None,
    "broken JSON": b'{"session_key":"AAECAwQFBgcICQoLDA0ODw==","access_token":"99_AccessTokenOf',
    "wrong types": json.dumps({"session_key": SECRETS[5], "openid": 7}).encode(),
    "errmsg that quotes": json.dumps({"errcode": 40029, "errmsg": " ".join(SECRETS)}).encode(),
}


CALLS = {
    "jscode2session": {
        "app_id": "wx0123456789abcdef",
        "app_secret": SECRETS[0],
        "js_code": SECRETS[1],
    },
    "oauth2_access_token": {
        "app_id": "wx0123456789abcdef",
        "app_secret": SECRETS[0],
        "code": SECRETS[1],
    },
    "stable_token": {"app_id": "wx0123456789abcdef", "app_secret": SECRETS[0]},
    "getuserphonenumber": {
        "access_token": SECRETS[2],
        "code": SECRETS[3],
        "openid": SECRETS[4],
    },
}


@pytest.fixture(autouse=True)
def _unfiltered_loggers(monkeypatch):
    # A filter that another test left behind would hide that none is put on here.
    for name in ("urllib3.connection", "urllib3.connectionpool"):
        monkeypatch.setattr(logging.getLogger(name), "filters", [])


def _everything_said(error):
    chain = []
    while error is not None:
        chain += [str(error), repr(error), repr(error.args), repr(vars(error))]
        chain += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(chain)


def _leaks(text, call):
    return [secret for name, secret in CALLS[call].items() if name != "app_id" and secret in text]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
@pytest.mark.parametrize("call", CALLS)
def test_no_exception_or_log_record_holds_a_secret(client_for, server, caplog, call, answer):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    if BAD_ANSWERS[answer] is not None:
        server.answer(BAD_ANSWERS[answer])

    with pytest.raises(WeChatError) as caught:
        getattr(client_for(server.url), call)(**CALLS[call])

    said = _everything_said(caught.value)
    assert _leaks(said, call) == []
    assert "://" not in said
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert _leaks(caplog.text, call) == []


def test_a_broken_answer_is_not_quoted(client_for, server, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    server.answer(BAD_ANSWERS["broken JSON"])

    with pytest.raises(WeChatError) as caught:
        client_for(server.url).jscode2session(**CALLS["jscode2session"])

    assert SECRETS[5] not in _everything_said(caught.value) + caplog.text


@pytest.mark.parametrize("answer", BAD_ANSWERS)
@pytest.mark.parametrize("call", CALLS)
def test_no_record_of_a_call_holds_a_secret(client_for, server, records, call, answer):
    if BAD_ANSWERS[answer] is not None:
        server.answer(BAD_ANSWERS[answer])

    with pytest.raises(WeChatError):
        getattr(client_for(server.url), call)(**CALLS[call])

    (record,) = records
    assert _leaks(repr(record), call) == []
    assert "session_key" not in record.errmsg


@pytest.mark.parametrize("call", CALLS)
def test_a_refused_connection_tells_no_url(client_for, closed_port, caplog, call):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    client = client_for(f"http://127.0.0.1:{closed_port}")

    with pytest.raises(WeChatError) as caught:
        getattr(client, call)(**CALLS[call])

    said = _everything_said(caught.value)
    assert caught.value.__context__ is None
    assert "://" not in said
    assert _leaks(said + caplog.text, call) == []


def test_the_failing_url_of_urllib3s_header_warning_is_redacted(caplog):
    new_session(pool_size=1, proxy_url=None)

    logging.getLogger("urllib3.connection").warning(
        "Failed to parse headers (url=%s)", f"https://h/sns/jscode2session?secret={SECRETS[0]}"
    )

    assert SECRETS[0] not in caplog.text
    assert "secret=***" in caplog.text

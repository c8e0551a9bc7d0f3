"""Trying out an AppID and AppSecret: what each answer of WeChat's tells an operator."""

from typing import get_args

import pytest
import requests
import responses
from django.utils import translation

from config.kernel.encryption import DecryptionError
from identity_sources.connection import Verdict, outage_in_words, try_connection
from identity_sources.gateway import sandbox
from identity_sources.models import IdentitySource, WeChatAccessToken
from identity_sources.sandbox import Fault, FaultKind
from identity_sources.sandbox.faults import http_status, refusal
from identity_sources.wechat.errors import Reason
from tests.support import builders

API = "https://api.weixin.qq.com"
LOGIN_URL = f"{API}/sns/jscode2session"
OAUTH_URL = f"{API}/sns/oauth2/access_token"
TOKEN_URL = f"{API}/cgi-bin/stable_token"
RID = "65f3e9f7-77cf1a1c-0dd74a0e"
# As WeChat answers, by its documentation and by what developers quote from it.
INVALID_CODE = {"errcode": 40029, "errmsg": f"invalid code, rid: {RID}"}
WRONG_SECRET = {"errcode": 40125, "errmsg": f"invalid appsecret, rid: {RID}"}
UNKNOWN_APP = {"errcode": 40013, "errmsg": f"invalid appid, rid: {RID}"}
NOT_LISTED = {
    "errcode": 40164,
    "errmsg": f"invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: {RID}",
}
FROZEN = {"errcode": 40243, "errmsg": f"AppSecret is frozen, rid: {RID}"}
TOKEN = {"access_token": "99_a-token-of-wechats", "expires_in": 7200}
UNKNOWN_UNIONID = "UnionID: binding to an Open Platform account"


@pytest.fixture
def live(acme):
    return builders.make_source(
        acme.pool, identifier="acme-live", app_id=builders.LIVE_APP_ID, mode="live"
    )


@pytest.fixture
def official_account(acme):
    return builders.make_source(
        acme.pool,
        identifier="acme-account",
        app_id=builders.LIVE_APP_ID,
        mode="live",
        type="wechat_official_account",
    )


@pytest.fixture
def wechat():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def answering(wechat, login, token):
    """Let WeChat answer to both calls."""
    wechat.get(LOGIN_URL, json=login)
    wechat.post(TOKEN_URL, json=token)


def verdicts(findings):
    return [finding.verdict.value for finding in findings]


def test_an_app_secret_that_no_key_reads_is_told_before_anybody_is_asked(live, wechat, settings):
    settings.ENCRYPTION_KEYS = (b"x" * 32,)

    with pytest.raises(DecryptionError):
        try_connection(live)

    assert len(wechat.calls) == 0


@pytest.mark.parametrize(
    ("refused", "meaning", "remedy", "chinese"),
    [
        (WRONG_SECRET, "AppSecret is wrong", "AppSecret", "AppSecret"),
        (UNKNOWN_APP, "AppID", "AppID", "AppID"),
        (FROZEN, "frozen", "AppSecret", "冻结"),
    ],
)
def test_what_wechat_refuses_is_explained_in_the_operators_language(
    live, wechat, refused, meaning, remedy, chinese
):
    answering(wechat, refused, refused)

    english = try_connection(live)
    with translation.override("zh-hans"):
        translated = try_connection(live)

    assert verdicts(english) == verdicts(translated) == ["bad", "bad", "unknown"]
    for finding, in_chinese in zip(english[:2], translated[:2], strict=True):
        assert (finding.errcode, finding.rid) == (refused["errcode"], RID)
        assert (in_chinese.errcode, in_chinese.rid) == (refused["errcode"], RID)
        assert meaning in finding.sentence
        assert remedy in finding.remedy
        assert chinese in in_chinese.sentence
        assert is_chinese(in_chinese.subject + in_chinese.sentence)
        assert is_chinese(in_chinese.remedy)
        assert not is_chinese(finding.subject + finding.sentence)


def is_chinese(text):
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def test_a_server_that_is_not_on_the_list_may_log_people_in_all_the_same(live, wechat):
    """WeChat looks at the address for server calls alone, and says which one it saw."""
    answering(wechat, INVALID_CODE, NOT_LISTED)

    login, server_call, _ = try_connection(live)
    with translation.override("zh-hans"):
        translated = try_connection(live)[1]

    assert (login.verdict, login.errcode, login.remedy) == (Verdict.GOOD, None, "")
    assert (server_call.verdict, server_call.errcode) == (Verdict.BAD, 40164)
    assert "203.0.113.9" in server_call.errmsg
    assert server_call.remedy
    assert "白名单" in translated.sentence + translated.remedy


@pytest.mark.parametrize("errcode", [-1, 44990])
def test_a_busy_wechat_says_nothing_against_the_source(acme, errcode):
    """Busy is errcode -1, which is tried once more by the client itself."""
    for call in ("jscode2session", "stable_token"):
        sandbox().script(call, refusal(errcode), times=2)

    findings = try_connection(acme.source)

    expected = "unknown" if errcode == -1 else "bad"
    assert verdicts(findings) == [expected, expected, "unknown"]
    assert [finding.errcode for finding in findings] == [errcode, errcode, None]
    assert all(finding.sentence for finding in findings)


def test_wechat_busy_for_a_moment_is_asked_again(acme):
    for call in ("jscode2session", "stable_token"):
        sandbox().script(call, refusal(-1), times=1)

    assert verdicts(try_connection(acme.source)) == ["good", "good", "unknown"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(FaultKind.CONNECTION_REFUSED), "no connection"),
        (Fault(FaultKind.CONNECT_TIMEOUT), "no connection"),
        (Fault(FaultKind.READ_TIMEOUT), "no answer in time"),
        (Fault(FaultKind.HTML_PAGE), "an answer that can't be read"),
        (Fault(FaultKind.EMPTY_BODY), "an empty answer"),
        (http_status(502), "an HTTP error"),
    ],
)
def test_a_wechat_that_is_away_is_a_finding_and_no_error(acme, fault, reason):
    for call in ("jscode2session", "stable_token"):
        sandbox().script(call, fault, times=2)

    findings = try_connection(acme.source)

    assert verdicts(findings) == ["bad", "bad", "unknown"]
    for finding in findings[:2]:
        assert finding.sentence == f"WeChat gave no usable answer ({reason})."
        assert "WECHAT_PROXY_URL" in finding.remedy
        assert (finding.errcode, finding.rid) == (None, "")


def test_no_failure_names_the_address_that_holds_the_secret(live, wechat):
    failure = requests.exceptions.ConnectTimeout(f"{LOGIN_URL}?secret={builders.LIVE_APP_SECRET}")
    wechat.get(LOGIN_URL, body=failure)
    wechat.post(TOKEN_URL, json=WRONG_SECRET | {"errmsg": f"bad {builders.LIVE_APP_SECRET}"})

    assert builders.LIVE_APP_SECRET not in repr(try_connection(live))


def test_an_answer_to_a_code_that_does_not_exist_is_not_wechats(live, wechat):
    answering(wechat, {"session_key": "c2Vzc2lvbg==", "openid": "o6_bmjrPTlm6_2sgVt7hMZO"}, TOKEN)

    findings = try_connection(live)

    assert verdicts(findings) == ["unknown", "good", "unknown"]
    assert "Whoever answers isn't WeChat" in findings[0].sentence


def test_good_credentials_are_told_by_the_made_up_code_alone_being_wrong(live, wechat):
    answering(wechat, INVALID_CODE, TOKEN)

    findings = try_connection(live)

    assert verdicts(findings) == ["good", "good", "unknown"]
    assert findings[2].subject == UNKNOWN_UNIONID
    assert TOKEN["access_token"] not in repr(findings)


def test_the_token_of_another_system_stays_valid(live, wechat):
    """A forced refresh would void the one that it has."""
    answering(wechat, INVALID_CODE, TOKEN)

    try_connection(live)

    (token_call,) = [call for call in wechat.calls if call.request.method == "POST"]
    assert b'"force_refresh": false' in token_call.request.body
    assert not WeChatAccessToken.objects.exists()


def test_an_official_account_has_no_login_to_be_tried(official_account, wechat):
    answering(wechat, INVALID_CODE, TOKEN)

    findings = try_connection(official_account)

    assert verdicts(findings) == ["good", "unknown"]
    assert [call.request.method for call in wechat.calls] == ["POST"]


# Websites and mobile apps: one call, and an Open Platform account from the start


@pytest.fixture(params=["wechat_website", "wechat_mobile_app"])
def oauth(acme, request):
    return builders.make_source(
        acme.pool,
        identifier="acme-oauth",
        app_id=builders.LIVE_APP_ID,
        mode="live",
        type=request.param,
    )


@pytest.mark.parametrize("refused", [WRONG_SECRET, UNKNOWN_APP, FROZEN])
def test_credentials_that_wechat_refuses_at_an_oauth_login_are_told(oauth, wechat, refused):
    wechat.get(OAUTH_URL, json=refused)

    (login,) = try_connection(oauth)

    assert (login.verdict, login.errcode, login.rid) == (Verdict.BAD, refused["errcode"], RID)
    assert login.remedy


def test_an_identity_for_a_code_that_does_not_exist_is_not_wechats(oauth, wechat):
    identity = {"openid": "o6_bmjrPTlm6_2sgVt7hMZO", "access_token": "a", "expires_in": 7200}
    wechat.get(OAUTH_URL, json=identity | {"refresh_token": "r", "scope": "snsapi_login"})

    (login,) = try_connection(oauth)

    assert login.verdict == Verdict.UNKNOWN
    assert "Whoever answers isn't WeChat" in login.sentence


def test_no_failure_of_an_oauth_login_names_the_secret(oauth, wechat):
    failure = requests.exceptions.ConnectTimeout(f"{OAUTH_URL}?secret={builders.LIVE_APP_SECRET}")
    wechat.get(OAUTH_URL, body=failure)

    (login,) = try_connection(oauth)

    assert login.verdict == Verdict.BAD
    assert builders.LIVE_APP_SECRET not in repr(login)


def test_good_credentials_of_an_oauth_login_are_told_by_the_code_alone_being_wrong(oauth, wechat):
    wechat.get(OAUTH_URL, json=INVALID_CODE)

    (login,) = try_connection(oauth)

    assert (login.verdict, login.errcode) == (Verdict.GOOD, None)
    assert len(wechat.calls) == 1


@pytest.mark.parametrize("type_", IdentitySource.Type.values)
def test_every_type_of_source_can_be_tried(acme, type_):
    source = builders.make_source(
        acme.pool, identifier="other", app_id=builders.SECOND_MINI_APP_ID, type=type_
    )

    assert Verdict.BAD not in {finding.verdict for finding in try_connection(source)}
    assert try_connection(source)[0].verdict == Verdict.GOOD


@pytest.mark.parametrize("app_id", [builders.SECOND_MINI_APP_ID, builders.UNBOUND_APP_ID])
def test_the_sandbox_is_tried_as_wechat_is(acme, app_id):
    source = builders.make_source(acme.pool, identifier="other", app_id=app_id)

    assert verdicts(try_connection(source)) == ["good", "good", "unknown"]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_words_in_both_languages(reason: str, language: str) -> None:
    with translation.override("en"):
        english = outage_in_words(reason)
    with translation.override(language):
        words = outage_in_words(reason)

    assert "_" not in words
    assert (words == english) == (language == "en")


def test_a_reason_that_is_not_known_is_shown_as_it_is() -> None:
    assert outage_in_words("of_a_newer_version") == "of_a_newer_version"

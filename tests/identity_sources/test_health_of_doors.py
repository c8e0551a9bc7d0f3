"""Every door's calls tell a source's health, and nobody who sends codes can flip it."""

import pytest
import responses

from identity_sources.connection import try_connection
from identity_sources.gateway import sandbox, wechat_client
from identity_sources.models import IdentitySource, SourceFailure
from identity_sources.sandbox import Fault, FaultKind
from identity_sources.sandbox.faults import http_status, refusal
from identity_sources.wechat.errors import WeChatError
from tests.support import builders
from tests.support.wechat_calls import NOW, RID, fails_since, failures

LOGIN_URL = "https://api.weixin.qq.com/sns/jscode2session"

# Every door's calls


def ask(source, call="jscode2session"):
    """Make a call as a request does, and let its errors pass."""
    stored = IdentitySource.objects.get(pk=source.pk)
    client = wechat_client(stored)
    calls = {
        "jscode2session": lambda: client.jscode2session(
            app_id=stored.app_id, app_secret=stored.app_secret(), js_code=builders.wx_login()
        ),
        "stable_token": lambda: client.stable_token(
            app_id=stored.app_id, app_secret=stored.app_secret()
        ),
        "getuserphonenumber": lambda: client.getuserphonenumber(
            access_token="x" * 32, code="c" * 32, openid="o"
        ),
    }
    try:
        calls[call]()
    except WeChatError as error:
        return error
    return None


SECRET_CALLS = ("jscode2session", "stable_token")
OF_THE_SETTINGS = [40001, 40013, 40125, 40164, 40243, 48004, 50002, 50004, 50007, 61004, 89503]
OF_THE_CALLER = [40029, 40163, 40226, 45011, 48001, 40003, 41008, 47001, 89002, 50001, 12345, -2]


@pytest.mark.parametrize("call", SECRET_CALLS)
@pytest.mark.parametrize("errcode", OF_THE_SETTINGS)
def test_what_accuses_the_settings_fails_the_source(source, call, errcode):
    sandbox().script(call, refusal(errcode))

    assert ask(source, call) is not None
    assert [(row.call, row.errcode) for row in failures(source).values()] == [(call, errcode)]
    assert fails_since(source) is not None

    assert ask(source, call) is None
    assert (fails_since(source), failures(source)) == (None, {})


@pytest.mark.parametrize(
    ("call", "errcode"),
    [
        *[(call, errcode) for call in SECRET_CALLS for errcode in OF_THE_CALLER],
        # A phone code of another app; a token to be replaced; an app without phone numbers.
        *[
            ("getuserphonenumber", errcode)
            for errcode in (40001, 40013, 40014, 42001, 40125, 40243, *OF_THE_CALLER)
        ],
    ],
)
def test_what_a_caller_can_bring_about_changes_nothing(source, call, errcode):
    sandbox().script(call, refusal(errcode))

    assert ask(source, call) is not None

    assert (fails_since(source), failures(source)) == (None, {})


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.CONNECTION_REFUSED),
        Fault(FaultKind.READ_TIMEOUT),
        Fault(FaultKind.HTML_PAGE),
        Fault(FaultKind.EMPTY_BODY),
        http_status(502),
        refusal(-1),
    ],
)
def test_an_outage_changes_nothing_of_a_source_that_works_or_fails(source, fault):
    sandbox().script("jscode2session", fault, times=2)
    assert ask(source) is not None
    assert (fails_since(source), failures(source)) == (None, {})

    sandbox().script("jscode2session", refusal(40125))
    ask(source)
    sandbox().script("jscode2session", fault, times=2)
    assert ask(source) is not None
    assert list(failures(source)) == ["jscode2session"]


@responses.activate
def test_a_live_source_is_noted_alike(acme):
    live = builders.make_source(
        acme.pool, identifier="live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    responses.get(LOGIN_URL, json={"errcode": 40164, "errmsg": f"invalid ip 1.2.3.4, rid: {RID}"})

    ask(live)

    row = failures(live)["jscode2session"]
    assert (row.errcode, row.rid) == (40164, RID)
    assert "1.2.3.4" in row.errmsg


@responses.activate
def test_no_secret_that_wechat_repeats_is_kept(acme):
    live = builders.make_source(
        acme.pool, identifier="live", app_id=builders.LIVE_APP_ID, mode="live"
    )
    said = f"invalid appsecret {builders.LIVE_APP_SECRET}"
    responses.get(LOGIN_URL, json={"errcode": 40125, "errmsg": said})

    ask(live)

    assert builders.LIVE_APP_SECRET not in str(SourceFailure.objects.values())


def test_the_doors_observer_hears_first(source):
    heard = []
    client = wechat_client(
        source, lambda record: heard.append((record.errcode, SourceFailure.objects.count()))
    )
    sandbox().script("stable_token", refusal(40125))

    with pytest.raises(WeChatError):
        client.stable_token(app_id=source.app_id, app_secret=source.app_secret())

    assert heard == [(40125, 0)]
    assert SourceFailure.objects.count() == 1


def test_trying_the_connection_fails_and_heals(source):
    for call in SECRET_CALLS:
        sandbox().script(call, refusal(40125))

    try_connection(source)
    assert set(failures(source)) == set(SECRET_CALLS)

    try_connection(IdentitySource.objects.get(pk=source.pk))
    assert (fails_since(source), failures(source)) == (None, {})


# Logins


def test_a_login_fails_the_source_and_the_next_one_heals_it(source, log_in):
    sandbox().script("jscode2session", refusal(40125))

    assert log_in().json()["error"] == "identity_source_misconfigured"
    assert fails_since(source) is not None

    assert log_in().status_code == 200
    assert (fails_since(source), failures(source)) == (None, {})


def test_a_phone_code_of_another_app_fails_nothing(source, log_in):
    sandbox().script("getuserphonenumber", refusal(40013))

    assert log_in(phone_code=builders.get_phone_number()).status_code == 200

    assert (fails_since(source), failures(source)) == (None, {})


def test_a_login_is_none_the_worse_for_a_note_that_cannot_be_made(
    source, log_in, unwritable, caplog
):
    IdentitySource.objects.update(failing_since=NOW)

    assert log_in().status_code == 200
    sandbox().script("jscode2session", refusal(40125))
    assert log_in().json()["error"] == "identity_source_misconfigured"

    said = [record.getMessage() for record in caplog.records if "health" in record.getMessage()]
    assert said == [f"The health of identity source {source.pk} couldn't be noted."] * 2

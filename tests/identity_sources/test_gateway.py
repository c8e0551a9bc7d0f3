"""From a source to WeChat: the sandbox for sandbox sources, WeChat itself for live ones."""

import pytest
import requests
import responses

from identity_sources.gateway import (
    belongs_to,
    is_reachable,
    qrconnect_url,
    sandbox,
    wechat_client,
)
from identity_sources.models import IdentitySource
from identity_sources.sandbox.world import openid_of, sandbox_app_secret, unionid_of
from identity_sources.wechat.errors import WeChatUnavailable
from tests.support import builders

SANDBOX = IdentitySource(mode="sandbox", app_id=builders.MINI_APP_ID)
LIVE = IdentitySource(mode="live", app_id=builders.LIVE_APP_ID)
JSCODE2SESSION = "https://api.weixin.qq.com/sns/jscode2session"


def exchange(source: IdentitySource, code: str = "0" * 32, secret: str = "0" * 32):
    records = []
    client = wechat_client(source, records.append)
    session = client.jscode2session(app_id=source.app_id, app_secret=secret, js_code=code)
    return session, records


def test_without_the_sandbox_its_sources_are_out_of_reach(settings):
    settings.WECHAT_SANDBOX = False

    assert not is_reachable(SANDBOX)
    assert is_reachable(LIVE)


def test_with_the_sandbox_both_kinds_are_in_reach(settings):
    settings.WECHAT_SANDBOX = True

    assert is_reachable(SANDBOX)
    assert is_reachable(LIVE)


@pytest.mark.parametrize(
    "identity", ["oSANDBOX_", openid_of(SANDBOX.app_id, "alice"), unionid_of(SANDBOX.app_id, "bob")]
)
def test_a_live_source_accepts_no_sandbox_identity(identity):
    assert not belongs_to(LIVE, identity)
    assert belongs_to(SANDBOX, identity)


@pytest.mark.parametrize(
    "identity", ["oGZUI0egBJY1zhBYw2KhdUfwVJJE", "osandbox_lower-case", "SANDBOX", "x oSANDBOX_"]
)
def test_a_sandbox_source_accepts_no_real_identity(identity):
    assert not belongs_to(SANDBOX, identity)
    assert belongs_to(LIVE, identity)


def test_one_foreign_identity_among_several_is_not_accepted():
    real, made_up = "oGZUI0egBJY1zhBYw2KhdUfwVJJE", openid_of(SANDBOX.app_id, "alice")

    assert belongs_to(LIVE, real, None)
    assert not belongs_to(LIVE, real, made_up)
    assert not belongs_to(SANDBOX, made_up, real)


@responses.activate
def test_a_sandbox_source_never_asks_wechat():
    code = sandbox().wx_login(SANDBOX.app_id, "alice")

    session, records = exchange(SANDBOX, code, sandbox_app_secret(SANDBOX.app_id))

    assert session.openid == openid_of(SANDBOX.app_id, "alice")
    assert [record.call for record in records] == ["jscode2session"]
    assert len(responses.calls) == 0


@responses.activate
def test_a_live_source_asks_wechat_at_the_address_of_the_settings(settings):
    settings.WECHAT_API_URL = "https://api2.weixin.qq.com"
    responses.get(
        "https://api2.weixin.qq.com/sns/jscode2session",
        json={"openid": "oGZUI0egBJY1zhBYw2KhdUfwVJJE", "session_key": "x"},
    )

    session, _ = exchange(LIVE)

    assert session.openid == "oGZUI0egBJY1zhBYw2KhdUfwVJJE"


@responses.activate
def test_a_call_to_wechat_ends_after_the_time_of_the_settings(settings):
    settings.WECHAT_TIMEOUT_SECONDS = 1.5
    responses.get(JSCODE2SESSION, body=requests.ReadTimeout())

    with pytest.raises(WeChatUnavailable):
        exchange(LIVE)

    [call] = responses.calls
    assert call.request.req_kwargs["timeout"] == (1.5, 1.5)
    assert call.request.req_kwargs["proxies"] == {}
    assert call.request.req_kwargs["verify"] is True


@responses.activate
def test_a_proxy_is_used_where_the_settings_name_one(settings):
    settings.WECHAT_PROXY_URL = "http://proxy.internal:3128"
    responses.get(JSCODE2SESSION, json={"openid": "o", "session_key": "x"})

    exchange(LIVE)

    assert responses.calls[0].request.req_kwargs["proxies"] == {
        "http": "http://proxy.internal:3128",
        "https": "http://proxy.internal:3128",
    }


@responses.activate
def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://elsewhere.example:3128")
    responses.get(JSCODE2SESSION, json={"openid": "o", "session_key": "x"})

    exchange(LIVE)

    assert responses.calls[0].request.req_kwargs["proxies"] == {}


@responses.activate
def test_a_sandbox_website_never_asks_wechat():
    records = []
    code = sandbox().qrconnect(SANDBOX.app_id, "alice")

    identity = wechat_client(SANDBOX, records.append).oauth2_access_token(
        app_id=SANDBOX.app_id, app_secret=sandbox_app_secret(SANDBOX.app_id), code=code
    )

    assert identity.openid == openid_of(SANDBOX.app_id, "alice")
    assert identity.unionid == unionid_of(SANDBOX.app_id, "alice")
    assert (identity.scope, identity.is_snapshot_user) == (("snsapi_login",), False)
    assert [record.call for record in records] == ["oauth2_access_token"]
    assert len(responses.calls) == 0


@pytest.mark.parametrize(
    ("language", "lang"), [("zh-hans", "cn"), ("zh-hant", "cn"), ("en", "en"), ("fr", "en")]
)
def test_wechats_page_is_asked_for_in_the_documented_order(language, lang):
    url = qrconnect_url(
        LIVE,
        redirect_uri="https://login.example.com/login/wechat?a=1&b=微",
        state="a1B2",
        language=language,
    )

    assert url == (
        "https://open.weixin.qq.com/connect/qrconnect?appid=wx0123456789abcdef"
        "&redirect_uri=https%3A%2F%2Flogin.example.com%2Flogin%2Fwechat%3Fa%3D1%26b%3D%E5%BE%AE"
        f"&response_type=code&scope=snsapi_login&state=a1B2&lang={lang}#wechat_redirect"
    )


def test_wechats_page_is_at_the_address_of_the_settings(settings):
    settings.WECHAT_OPEN_URL = "https://open.example.com"

    url = qrconnect_url(LIVE, redirect_uri="https://h/", state="s", language="en")

    assert url.startswith("https://open.example.com/connect/qrconnect?appid=")


def test_the_sandboxs_page_is_on_this_server(settings, client):
    settings.PUBLIC_URL = "http://127.0.0.1:8000"

    url = qrconnect_url(SANDBOX, redirect_uri="http://127.0.0.1:8000/x", state="s", language="en")

    assert url == (
        f"http://127.0.0.1:8000/sandbox/connect/qrconnect?appid={SANDBOX.app_id}"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fx"
        "&response_type=code&scope=snsapi_login&state=s&lang=en"
    )
    assert client.get(url).status_code == 200


def test_all_processes_share_one_sandbox_through_the_cache():
    assert sandbox() is sandbox()
    code = sandbox().wx_login(SANDBOX.app_id, "alice")

    exchange(SANDBOX, code, sandbox_app_secret(SANDBOX.app_id))

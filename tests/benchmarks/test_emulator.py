"""The program that answers the benchmarks as WeChat does."""

import json

import pytest

from benchmarks.emulator import WeChat
from identity_sources.sandbox.world import may_be_live_identity
from identity_sources.wechat import answers, shapes

pytestmark = pytest.mark.once

MINI = "/sns/jscode2session?appid=wx01&secret=s&grant_type=authorization_code&js_code="
SITE = "/sns/oauth2/access_token?appid=wx02&secret=s&grant_type=authorization_code&code="


def said(wechat: WeChat, target: str) -> dict[str, object]:
    return dict(answers.read(200, wechat.answer(target)))


def test_the_client_reads_the_answers_of_a_live_source():
    session = answers.MiniProgramSession.parse(said(WeChat(), MINI + "p1-a"))
    oauth = answers.OAuthIdentity.parse(said(WeChat(), SITE + "p1-a"))

    assert (len(session.openid), len(session.unionid), len(session.session_key)) == (28, 28, 24)
    assert session.unionid == oauth.unionid
    assert session.openid != oauth.openid
    assert all(map(may_be_live_identity, (session.openid, session.unionid, oauth.openid)))


def test_a_person_is_known_by_the_number():
    wechat = WeChat()
    first, again, other = (said(wechat, MINI + code) for code in ("p1-a", "p1-b", "p2-a"))

    assert first["openid"] == again["openid"] != other["openid"]


def test_a_code_works_once():
    wechat = WeChat()
    wechat.answer(MINI + "p1-a")

    assert answers.errcode_of(said(wechat, MINI + "p1-a")) == 40163
    assert answers.errcode_of(said(wechat, MINI + "nobody")) == 40029


def test_its_codes_have_the_form_of_wechats():
    assert shapes.is_code("p1000000000000-0a1b2c3df")


def test_a_profile_belongs_to_the_access_token():
    wechat = WeChat()
    tokens = json.loads(wechat.answer(SITE + "p1-a"))
    asked = f"/sns/userinfo?access_token={tokens['access_token']}&openid={tokens['openid']}"

    profile = json.loads(wechat.answer(asked))

    assert (profile["openid"], profile["unionid"]) == (tokens["openid"], tokens["unionid"])

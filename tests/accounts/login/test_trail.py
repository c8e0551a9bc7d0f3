"""The steps that an event keeps of an attempt: what happened, in order, and where it stopped."""

import json
from unittest.mock import ANY

import pytest
from django.utils import timezone

from accounts import locking
from accounts.login.trail import Trail
from accounts.models import LinkedAccount, LoginEvent, User
from identity_sources.sandbox import Fault, FaultKind, openid_of, unionid_of
from identity_sources.sandbox.faults import latency
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.records import steps
from tests.support.wechat import LIVE_URL
from userpools.models import UserPool

SCOPE = "openid profile phone account offline_access"
SHOP = builders.MINI_APP_ID
ALICES = "+8613800138001"
KEPT_CLAIMS = {
    *("iss", "sub", "aud", "client_id", "scope", "sid", "jti", "auth_time", "iat", "exp"),
}

CHECKED = {"step": "checked", "ms": ANY, "scope": SCOPE}
ASKED = {
    "step": "asked",
    "ms": ANY,
    "call": "jscode2session",
    "request": (
        f"GET https://sandbox.invalid/sns/jscode2session?appid={SHOP}&secret=***&js_code=***"
        "&grant_type=authorization_code"
    ),
    "answer": {"session_key": "***", "openid": "***", "unionid": "***"},
    "took": ANY,
    "attempts": 1,
    "errcode": 0,
}
REPLAYED = {"step": "replayed", "ms": ANY}
USED = ASKED | {
    "answer": {"errcode": 40163, "errmsg": ANY},
    "errcode": 40163,
    "errmsg": ANY,
    "rid": ANY,
}
IDENTITY = {"step": "identity", "ms": ANY, "unionid": True}
ISSUED = {
    "step": "issued",
    "ms": ANY,
    "access_token": ANY,
    "algorithm": "ES256",
    "kid": ANY,
    "id_token": ANY,
    "refresh_token": True,
    "expires_in": 3600,
}


def matched(decision, **facts):
    return {"step": "matched", "ms": ANY, "decision": decision} | facts


def refused(error):
    return {"step": "refused", "ms": ANY, "error": error, "description": ANY}


def names(trace):
    """Return the names of the steps, with those of the calls."""
    return [step.get("call") or step["step"] for step in trace]


def link(user, *, openid="", unionid=""):
    now = user.created_at
    LinkedAccount.objects.create(
        pool=user.pool,
        user=user,
        kind="openid" if openid else "unionid",
        app_id=SHOP if openid else "",
        openid=openid,
        unionid=unionid,
        first_seen_at=now,
        last_seen_at=now,
    )


# Logins


def test_a_new_persons_login_is_kept_step_by_step(acme, log_in):
    log_in()

    assert steps() == [CHECKED, ASKED, IDENTITY, matched("created"), ISSUED]


def test_a_known_person_was_matched_by_openid(acme, log_in):
    log_in()
    log_in()

    assert steps() == [CHECKED, ASKED, IDENTITY, matched("matched_openid"), ISSUED]


def test_a_person_of_another_app_was_matched_by_unionid(acme, log_in):
    link(builders.make_user(acme.pool), unionid=unionid_of(SHOP, "alice"))

    log_in()

    assert steps() == [CHECKED, ASKED, IDENTITY, matched("matched_unionid"), ISSUED]


def test_a_unionid_that_appears_late_is_noted(acme, log_in):
    link(builders.make_user(acme.pool), openid=openid_of(SHOP, "alice"))

    log_in()

    assert steps()[3] == matched("matched_openid", unionid_added=True)


def test_two_users_who_are_merged_are_noted(acme, log_in):
    link(builders.make_user(acme.pool), openid=openid_of(SHOP, "alice"))
    younger = builders.make_user(acme.pool)
    link(younger, unionid=unionid_of(SHOP, "alice"))

    log_in()

    assert steps()[3] == matched("merged", merged_sub=younger.sub)


def test_a_conflict_that_moves_nothing_is_noted(acme, log_in):
    UserPool.objects.update(merge="review")
    link(builders.make_user(acme.pool), openid=openid_of(SHOP, "alice"))
    link(builders.make_user(acme.pool), unionid=unionid_of(SHOP, "alice"))

    log_in()

    assert steps()[3] == matched("matched_openid", conflict="unionid_of_another_user")


def test_an_identity_without_a_unionid_says_so(acme, live_source, live, log_in):
    answer_live(live, {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=", "openid": "o6_bmjrPTlm6_2sgVt7"})

    log_in(identity_source="acme-live")

    assert steps()[1]["answer"] == {"session_key": "***", "openid": "***"}
    assert steps()[2] == IDENTITY | {"unionid": False}


def test_a_replay_was_asked_first_and_then_repeated(acme, log_in):
    code = builders.wx_login()
    log_in(code=code)
    log_in(code=code)

    assert steps() == [CHECKED, USED, REPLAYED, IDENTITY, matched("matched_openid"), ISSUED]


def test_the_access_tokens_claims_are_kept_and_the_id_tokens_names(acme, log_in):
    log_in()
    User.objects.update(nickname="Alice of Acme")

    body = log_in().json()

    issued = steps()[-1]
    event = LoginEvent.objects.latest("pk")
    assert issued["access_token"].keys() == KEPT_CLAIMS
    assert issued["access_token"]["sub"] == body["user"]["sub"]
    assert issued["access_token"]["sid"] == str(event.sid)
    assert issued["kid"] == acme.pool.signing_keys.get(algorithm="ES256").kid
    assert {"sub", "nickname", "at_hash"} < set(issued["id_token"])
    assert "Alice" not in str(steps())


def test_tokens_that_were_not_made_are_said_not_to_be(acme, log_in):
    log_in(scope="profile")

    assert steps()[0]["scope"] == "profile"
    assert steps()[-1] == ISSUED | {"id_token": None, "refresh_token": False}


def test_the_milliseconds_are_those_since_the_attempt_began(acme, log_in, wechat):
    wechat.script(latency(0.2))

    log_in()

    checked, asked, *rest = steps()
    assert checked["ms"] < 200 <= asked["took"] <= asked["ms"]
    moments = [step["ms"] for step in (checked, asked, *rest)]
    assert moments == sorted(moments)
    assert all(isinstance(moment, int) for moment in moments)


# Phone codes


LOGIN_WITH_PHONE = [
    *("checked", "jscode2session", "identity", "stable_token", "getuserphonenumber"),
    *("matched", "phone", "issued"),
]


def claim_nothing(acme):
    """Leave Alice's number free."""


def take_alices_number(acme):
    builders.make_user(
        acme.pool, phone_number=ALICES, phone_number_verified_at=acme.pool.created_at
    )


def give_alice_a_number(acme):
    user = builders.make_user(
        acme.pool, phone_number="+8613900000000", phone_number_verified_at=timezone.now()
    )
    link(user, openid=openid_of(SHOP, "alice"))


@pytest.mark.parametrize(
    ("prepare", "whose", "status"),
    [
        (claim_nothing, "alice", "stored"),
        (give_alice_a_number, "alice", "unchanged"),
        (take_alices_number, "alice", "taken"),
        (claim_nothing, "bob", "invalid_code"),
    ],
)
def test_what_became_of_a_phone_code_is_a_step(acme, log_in, prepare, whose, status):
    prepare(acme)

    log_in(phone_code=builders.get_phone_number(whose))

    assert names(steps()) == LOGIN_WITH_PHONE
    assert steps()[-2] == {"step": "phone", "ms": ANY, "status": status}


def test_a_phone_call_that_failed_shows_why(acme, log_in, wechat):
    wechat.script(Fault(FaultKind.READ_TIMEOUT), call="getuserphonenumber")

    log_in(phone_code=builders.get_phone_number())

    assert names(steps()) == LOGIN_WITH_PHONE
    assert steps()[4]["reason"] == "timed_out"
    assert steps()[-2]["status"] == "unavailable"


def test_a_rejected_access_token_shows_as_the_calls_that_it_cost(acme, log_in, wechat):
    wechat.script(wechat_refuses(40001), call="getuserphonenumber")

    log_in(phone_code=builders.get_phone_number())

    calls = ["stable_token", "getuserphonenumber"] * 2
    assert [step["call"] for step in steps()[3:7]] == calls
    assert [step["errcode"] for step in steps()[3:7]] == [0, 40001, 0, 0]


def test_a_replayed_phone_code_is_not_asked_again(acme, log_in):
    fields = {"code": builders.wx_login(), "phone_code": builders.get_phone_number()}
    log_in(**fields)
    log_in(**fields)

    assert names(steps()) == [
        *("checked", "jscode2session", "replayed", "identity", "matched", "phone", "issued")
    ]
    assert steps()[-2]["status"] == "stored"


# Refused by WeChat, or not answered


def test_a_refusal_of_wechats_is_kept_with_its_words(acme, log_in):
    body = log_in(code="a-code-that-was-never-issued").json()

    rid, errmsg = body["wechat_rid"], steps()[1]["errmsg"]
    facts = {"errcode": 40029, "errmsg": errmsg}
    assert errmsg.startswith("invalid code")
    assert errmsg.endswith(rid)
    assert steps() == [
        CHECKED,
        ASKED | facts | {"rid": rid, "answer": facts},
        refused("invalid_code") | {"description": body["error_description"]},
    ]


def test_a_refused_code_that_is_sent_again_is_asked_again(acme, log_in):
    log_in(code="a-code-that-was-never-issued")
    log_in(code="a-code-that-was-never-issued")

    assert names(steps()) == ["checked", "jscode2session", "refused"]


@pytest.mark.parametrize(
    ("fault", "reason", "attempts"),
    [
        (FaultKind.CONNECTION_REFUSED, "connect_failed", 2),
        (FaultKind.READ_TIMEOUT, "timed_out", 1),
        (FaultKind.HTML_PAGE, "unreadable", 1),
    ],
)
def test_why_wechat_was_unavailable_is_kept(acme, log_in, wechat, fault, reason, attempts):
    wechat.script(Fault(fault), times=2)

    log_in()

    asked = {name: fact for name, fact in ASKED.items() if name not in {"answer", "errcode"}}
    assert steps() == [
        CHECKED,
        asked | {"attempts": attempts, "reason": reason},
        refused("wechat_unavailable"),
    ]


def test_an_identity_of_another_kind_was_read_and_then_refused(acme, live_source, live, log_in):
    answer_live(live, {"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=", "openid": "oSANDBOX_alice"})

    log_in(identity_source="acme-live")

    assert names(steps()) == ["checked", "jscode2session", "identity", "refused"]


def answer_live(live, answer):
    live.get(f"{LIVE_URL}/sns/jscode2session", json=answer)


# Refused by our rules


def suspend(acme):
    user = builders.make_user(acme.pool, status=User.Status.SUSPENDED)
    link(user, openid=openid_of(SHOP, "alice"))


def close_registration(acme):
    acme.source.registration = "closed"
    acme.source.save()


def occupy_unionid(acme):
    user = builders.make_user(acme.pool)
    link(user, openid="oSANDBOX_somebody_else", unionid=unionid_of(SHOP, "alice"))
    link(user, unionid=unionid_of(SHOP, "alice"))


@pytest.mark.parametrize("phone_code", [False, True])
@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (suspend, "user_suspended"),
        (close_registration, "registration_closed"),
        (occupy_unionid, "identity_conflict"),
    ],
)
def test_a_person_whom_the_rules_refuse_matched_nobody(acme, log_in, prepare, error, phone_code):
    prepare(acme)

    log_in(phone_code=builders.get_phone_number() if phone_code else None)

    asked_for_phone = phone_code and prepare is occupy_unionid
    trace = [step for step in steps() if step.get("call") in {None, "jscode2session"}]
    assert trace == [CHECKED, ASKED, IDENTITY, refused(error)]
    assert len(steps()) - len(trace) == (2 if asked_for_phone else 0)


def test_a_switched_off_login_method_stops_before_anything_else(acme, log_in):
    acme.method.enabled = False
    acme.method.save()

    log_in()

    assert steps() == [refused("login_method_disabled")]


def test_a_wrong_client_secret_stops_before_anything_else(acme, log_in):
    safe = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(safe, acme.source)

    log_in(client_id="acme-safe", client_secret="the wrong secret")

    assert steps() == [refused("invalid_client")]


def test_an_unknown_scope_is_not_kept(acme, log_in):
    log_in(scope="nonsense")

    assert steps() == [refused("invalid_scope")]
    assert "nonsense" not in str(steps())


# Rolled back


@pytest.fixture
def lose_races(monkeypatch):
    """Let the first so many transactions fail when everything in them is done."""

    def lose(times):
        lost = iter(range(times))
        record = Trail.record_success

        def record_and_fail(trail, session, *rows):
            event = record(trail, session, *rows)
            if next(lost, None) is not None:
                raise locking.LostRace
            return event

        monkeypatch.setattr(Trail, "record_success", record_and_fail)

    return lose


def test_a_lost_race_leaves_no_step_twice(acme, log_in, lose_races):
    lose_races(2)

    log_in(phone_code=builders.get_phone_number())

    assert names(steps()) == LOGIN_WITH_PHONE
    assert steps()[-3] == matched("created")
    assert steps()[-1]["access_token"]["sub"] == User.objects.get().sub


def test_a_race_that_is_lost_for_good_leaves_none_of_what_it_undid(acme, log_in, lose_races):
    lose_races(locking.ATTEMPTS)

    log_in()

    assert steps() == [CHECKED, ASKED, IDENTITY, refused("service_unavailable")]
    assert (LoginEvent.objects.get().user, LoginEvent.objects.get().sid) == (None, None)
    assert User.objects.count() == 0


# What isn't there


def test_the_steps_stay_small(acme, log_in):
    log_in()
    login_alone = len(json.dumps(steps()))
    log_in(phone_code=builders.get_phone_number())

    assert login_alone < 1300
    assert len(json.dumps(steps())) < 2000


def test_an_event_without_steps_has_an_empty_list(acme):
    event = LoginEvent(pool=acme.pool, application=acme.application, occurred_at=timezone.now())
    event.save()

    event.refresh_from_db()
    assert event.steps == []

"""Phone numbers at a login: what WeChat proves, for whom, and what becomes of it."""

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.login import phones
from accounts.login.codes import PhoneResult
from accounts.models import CodeExchange, User
from identity_sources.gateway import sandbox
from identity_sources.models import WeChatAccessToken
from identity_sources.sandbox import Fault, FaultKind, openid_of
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.faults import refusal as wechat_refuses
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.records import count_rows, event, events
from tests.support.wechat import LIVE_URL

ALICES = "+8613800138001"
BOBS = "+8613800138002"
LOGIN_CALLS = ["jscode2session", "stable_token", "getuserphonenumber"]
LIVE_OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
PHONE_CALL = "getuserphonenumber"


@pytest.fixture
def log_in_with_phone(log_in):
    """Log in with a fresh phone code of the same person's, unless the test brings another."""

    def post(person="alice", **fields):
        return log_in(person, **{"phone_code": builders.get_phone_number(person)} | fields)

    return post


def said(response):
    """Return what the answer says of the number."""
    body = response.json()
    assert response.status_code == 200
    user = body["user"]
    return body["phone"], user["phone_number"], user["phone_number_verified"]


def stored():
    return list(User.objects.order_by("created_at").values_list("phone_number", flat=True))


# Stored, unchanged, taken


def test_a_number_that_wechat_proves_is_stored(acme, log_in_with_phone, wechat):
    response = log_in_with_phone()

    assert said(response) == ({"status": "stored"}, ALICES, True)
    assert stored() == [ALICES]
    assert User.objects.get().phone_number_verified_at is not None
    assert wechat.calls == LOGIN_CALLS
    assert events() == [event(phone_status="stored")]


def test_a_foreign_number_is_kept_in_e_164(acme, log_in_with_phone):
    assert said(log_in_with_phone("erin")) == ({"status": "stored"}, "+85251234567", True)


def test_without_a_phone_code_nothing_is_said_of_a_number(acme, log_in, wechat):
    body = log_in().json()

    assert "phone" not in body
    assert wechat.calls == ["jscode2session"]
    assert events() == [event()]


def test_the_number_stands_in_the_tokens_of_the_same_answer(acme, log_in_with_phone):
    id_token = log_in_with_phone().json()["id_token"]

    assert claims_of(id_token)["phone_number"] == ALICES
    assert claims_of(id_token)["phone_number_verified"] is True


def test_without_the_scope_the_number_is_stored_but_not_shown(acme, log_in_with_phone):
    body = log_in_with_phone(scope="openid").json()

    assert body["phone"] == {"status": "stored"}
    assert body["user"] == {"sub": body["user"]["sub"]}
    assert "phone_number" not in claims_of(body["id_token"])
    assert stored() == [ALICES]


def test_a_number_that_is_there_already_stays(acme, log_in_with_phone):
    log_in_with_phone()
    User.objects.update(phone_number="+8613900000000")

    assert said(log_in_with_phone()) == ({"status": "unchanged"}, "+8613900000000", True)


def test_a_number_that_nobody_proved_gives_way(acme, log_in, log_in_with_phone):
    log_in()
    User.objects.update(phone_number=BOBS)

    assert said(log_in_with_phone()) == ({"status": "stored"}, ALICES, True)


def test_the_number_of_another_user_is_taken(acme, log_in, log_in_with_phone):
    holder = verified_user(acme, ALICES)

    assert said(log_in_with_phone()) == ({"status": "taken"}, None, False)
    holder.refresh_from_db()
    assert holder.phone_number == ALICES
    assert events() == [event(phone_status="taken")]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_the_number_of_a_user_who_is_not_active_is_taken_as_well(acme, log_in_with_phone, status):
    verified_user(acme, ALICES, status=status)

    assert said(log_in_with_phone())[0] == {"status": "taken"}


def test_a_number_that_another_user_only_claims_is_free(acme, log_in_with_phone):
    builders.make_user(acme.pool, phone_number=ALICES)

    assert said(log_in_with_phone())[0] == {"status": "stored"}


def test_a_number_taken_in_another_pool_is_free_here(acme, globex, log_in_with_phone):
    verified_user(globex, ALICES)

    assert said(log_in_with_phone())[0] == {"status": "stored"}


def test_a_users_own_number_stored_a_moment_ago_is_not_taken(acme):
    """Two phone codes of one person at the same time: the second began before the first ended."""
    user = builders.make_user(acme.pool)
    verified = {"phone_number": ALICES, "phone_number_verified_at": timezone.now()}
    User.objects.filter(pk=user.pk).update(**verified)

    status = phones.store(user, PhoneResult(number=ALICES), now=timezone.now())

    assert status == "stored"


# Whose number


def test_the_openid_is_always_sent(acme, log_in_with_phone, wechat):
    log_in_with_phone()

    request, _ = wechat.exchanges[2]
    assert json.loads(request.body)["openid"] == openid_of(builders.MINI_APP_ID, "alice")


def test_the_phone_code_of_somebody_else_leaves_the_phone_unset(acme, log_in_with_phone):
    response = log_in_with_phone("alice", phone_code=builders.get_phone_number("bob"))

    assert said(response) == ({"status": "invalid_code"}, None, False)
    assert stored() == [""]
    assert events() == [event(phone_status="invalid_code")]


def test_a_number_given_to_another_app_leaves_the_phone_unset(acme, live_source, live, log_in):
    answer_live(
        live, phone={"watermark": {"timestamp": 1_700_000_000, "appid": "wxffffffffffffffff"}}
    )

    response = log_in(identity_source="acme-live", phone_code="a-phone-code")

    assert said(response) == ({"status": "invalid_code"}, None, False)
    assert stored() == [""]


@pytest.mark.parametrize("code", ["a-code-that-was-never-issued", "0" * 64])
def test_an_unknown_phone_code_is_said_to_be_invalid(acme, log_in_with_phone, code):
    assert said(log_in_with_phone(phone_code=code))[0] == {"status": "invalid_code"}


def test_a_login_code_is_no_phone_code(acme, log_in_with_phone):
    response = log_in_with_phone(phone_code=builders.wx_login())

    assert said(response)[0] == {"status": "invalid_code"}


def test_a_phone_code_of_another_app_leaves_the_phone_unset(acme, log_in_with_phone):
    code = builders.get_phone_number("alice", builders.SECOND_MINI_APP_ID)

    assert said(log_in_with_phone(phone_code=code))[1:] == (None, False)
    assert stored() == [""]


# Live answers


def answer_live(live, *, openids=None, phone=None, number="13800138009", country="86"):
    """Give everybody this number, and each code of ``openids`` its OpenID."""

    def session(request):
        openid = (openids or {}).get(request.params["js_code"], LIVE_OPENID)
        return 200, {}, json.dumps({"session_key": "c2Vzc2lvbiBrZXkgb2YgMTY=", "openid": openid})

    live.add_callback("GET", f"{LIVE_URL}/sns/jscode2session", session)
    live.post(
        f"{LIVE_URL}/cgi-bin/stable_token",
        json={"access_token": "a-token-of-wechat", "expires_in": 7200},
    )
    info = {
        "phoneNumber": number,
        "purePhoneNumber": number,
        "countryCode": country,
        "watermark": {"timestamp": 1_700_000_000, "appid": builders.LIVE_APP_ID},
    }
    live.post(
        f"{LIVE_URL}/wxa/business/getuserphonenumber",
        json={"errcode": 0, "errmsg": "ok", "phone_info": info | (phone or {})},
    )


@pytest.mark.parametrize(
    ("country", "number", "e164"),
    [
        ("86", "13800138009", "+8613800138009"),
        ("1", "2015550123", "+12015550123"),
        ("39", "0612345678", "+390612345678"),
        ("49", "15123456789", "+4915123456789"),
        (86, "13800138009", "+8613800138009"),
    ],
)
def test_numbers_of_several_countries_are_kept_in_e_164(
    acme, live_source, live, log_in, country, number, e164
):
    answer_live(live, country=country, number=number)

    response = log_in(identity_source="acme-live", phone_code="a-phone-code")

    assert said(response) == ({"status": "stored"}, e164, True)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("86", "1"),
        ("86", "138001380091234"),  # 15 digits and a calling code: more than E.164 has
        ("9999", "138001380091234"),
        ("999", "13800138009"),
        ("86", ""),
        ("86", "13800 138009"),
        ("0", "13800138009"),
    ],
)
def test_what_can_be_no_number_fails_neither_login_nor_database(
    acme, live_source, live, log_in, country, number
):
    answer_live(live, country=country, number=number)

    response = log_in(identity_source="acme-live", phone_code="a-phone-code")

    assert said(response) == ({"status": "unavailable"}, None, False)
    assert stored() == [""]


# WeChat's access token


def test_the_access_token_is_fetched_once_and_shared(acme, log_in_with_phone, wechat):
    log_in_with_phone("alice")
    log_in_with_phone("bob")

    assert wechat.calls.count("stable_token") == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_rejected_access_token_is_replaced_once_and_the_call_repeated(
    acme, log_in_with_phone, wechat, errcode
):
    log_in_with_phone("bob")
    wechat.script(wechat_refuses(errcode), call=PHONE_CALL)
    wechat.exchanges.clear()

    response = log_in_with_phone("alice")

    assert said(response)[0] == {"status": "stored"}
    assert wechat.calls == ["jscode2session", PHONE_CALL, "stable_token", PHONE_CALL]
    assert WeChatAccessToken.objects.get().generation == 2


def test_an_access_token_rejected_twice_is_given_up(acme, log_in_with_phone, wechat):
    wechat.script(wechat_refuses(40001), call=PHONE_CALL, times=2)

    assert said(log_in_with_phone())[0] == {"status": "unavailable"}
    assert wechat.calls.count(PHONE_CALL) == 2


def test_no_token_is_ever_fetched_by_force(acme, log_in_with_phone, wechat):
    """It would kill the token of another system that uses the same AppSecret."""
    wechat.script(wechat_refuses(40001), call=PHONE_CALL, times=2)
    log_in_with_phone()

    asked = [json.loads(request.body) for request, _ in wechat.exchanges if "token" in request.path]
    assert [body["force_refresh"] for body in asked] == [False, False]


def test_a_pool_that_knows_only_the_appid_does_not_get_the_token(
    acme, globex, log_in, log_in_with_phone, wechat
):
    """Globex enters Acme's AppID with a wrong secret: it gets no token, cached or fresh."""
    log_in_with_phone()
    globex.source.app_id = builders.MINI_APP_ID
    globex.source.set_app_secret("0" * 32, now=timezone.now())
    globex.source.save()
    wechat.exchanges.clear()

    response = log_in(client_id="globex-shop", phone_code=builders.get_phone_number("bob"))

    assert response.json()["wechat_errcode"] == 40125
    assert wechat.calls == ["jscode2session"]
    assert WeChatAccessToken.objects.count() == 1


# No failure of the number fails the login


@pytest.mark.parametrize("call", ["stable_token", PHONE_CALL])
@pytest.mark.parametrize(
    "fault",
    [
        wechat_refuses(-1),
        wechat_refuses(45009),
        wechat_refuses(45011),
        wechat_refuses(48001),
        wechat_refuses(47001),
        wechat_refuses(12345),
        http_status(500),
        http_status(302),
        latency(1),
        Fault(FaultKind.HTML_PAGE),
        Fault(FaultKind.EMPTY_BODY),
        Fault(FaultKind.TRUNCATED_JSON),
        Fault(FaultKind.CONNECTION_REFUSED),
        Fault(FaultKind.CONNECTION_DROPPED),
        Fault(FaultKind.READ_TIMEOUT),
    ],
    ids=lambda fault: f"{fault.kind}{fault.errcode or fault.status or ''}",
)
def test_an_outage_of_the_phone_call_does_not_fail_the_login(
    acme, log_in_with_phone, wechat, settings, call, fault
):
    settings.WECHAT_TIMEOUT_SECONDS = 0.05
    wechat.script(fault, call=call, times=4)

    response = log_in_with_phone()

    assert said(response) == ({"status": "unavailable"}, None, False)
    assert events() == [event(phone_status="unavailable")]


def test_a_country_code_that_is_a_number_is_read(acme, log_in_with_phone, wechat):
    wechat.script(Fault(FaultKind.NUMBER_COUNTRY_CODE), call=PHONE_CALL)

    assert said(log_in_with_phone())[1] == ALICES


def test_the_measured_time_is_that_of_the_login_call(acme, log_in_with_phone, wechat):
    wechat.script(latency(0.3), call=PHONE_CALL)

    log_in_with_phone()

    assert events()[0]["wechat_milliseconds"] < 300


# Sent twice


def test_a_replay_does_not_exchange_the_phone_code_again(acme, log_in, wechat):
    fields = {"code": builders.wx_login(), "phone_code": builders.get_phone_number()}

    first, second = log_in(**fields), log_in(**fields)

    assert said(first) == ({"status": "stored"}, ALICES, True)
    assert said(second) == ({"status": "stored"}, ALICES, True)
    assert wechat.calls == [*LOGIN_CALLS, "jscode2session"]
    assert [row["phone_status"] for row in events()] == ["stored", "stored"]


def test_a_phone_code_that_did_not_reach_wechat_may_be_sent_again(acme, log_in):
    sandbox().script("getuserphonenumber", Fault(FaultKind.CONNECTION_REFUSED), times=2)
    fields = {"code": builders.wx_login(), "phone_code": builders.get_phone_number()}

    first, second = log_in(**fields), log_in(**fields)

    assert said(first) == ({"status": "unavailable"}, None, False)
    assert said(second) == ({"status": "stored"}, ALICES, True)


def test_a_refused_phone_code_stays_refused(acme, log_in):
    bobs = builders.get_phone_number("bob")

    first, second = (
        log_in("alice", phone_code=bobs),
        log_in("bob", phone_code=bobs),
    )

    assert said(first)[0] == {"status": "invalid_code"}
    assert said(second)[0] == {"status": "invalid_code"}


def test_the_same_number_proven_again_is_unchanged_and_newer(acme, log_in):
    log_in(phone_code=builders.get_phone_number())
    before = User.objects.get().phone_number_verified_at

    again = log_in(phone_code=builders.get_phone_number())

    assert said(again) == ({"status": "unchanged"}, ALICES, True)
    assert User.objects.get().phone_number_verified_at > before


def test_a_phone_code_with_a_fresh_login_code_is_not_exchanged_again(
    acme, log_in, log_in_with_phone, wechat
):
    phone_code = builders.get_phone_number()
    log_in_with_phone(phone_code=phone_code)

    log_in_with_phone(phone_code=phone_code)

    assert wechat.calls.count(PHONE_CALL) == 1


def test_a_phone_code_is_remembered_as_long_as_it_lives(acme, log_in_with_phone, wechat):
    phone_code = builders.get_phone_number()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in_with_phone(phone_code=phone_code)
        clock.shift(timedelta(seconds=299))

        log_in_with_phone(phone_code=phone_code)

    assert wechat.calls.count(PHONE_CALL) == 1


def test_neither_number_nor_phone_code_is_kept_in_the_exchange(acme, log_in_with_phone):
    phone_code = builders.get_phone_number()
    log_in_with_phone(phone_code=phone_code)

    kept = b"".join(
        row.key.encode() + bytes(row.answer_ciphertext) for row in CodeExchange.objects.all()
    )
    assert phone_code.encode() not in kept
    assert ALICES.encode() not in kept


def test_a_phone_code_makes_nobody_out_of_a_refused_login(acme, log_in_with_phone):
    before = count_rows()

    response = log_in_with_phone(code="a-code-that-was-never-issued")

    assert response.status_code == 400
    assert count_rows() - before == {"accounts.LoginEvent": 1}


# At the same time


def test_of_two_people_who_race_for_one_number_one_gets_it(
    threaded_database, acme, live_source, live, together
):
    """Two people, one number: WeChat proves it for both, as after a number was recycled."""
    openids = {f"code-{n}": f"o6_bmjrPTlm6_2sgVt7hMZOPf{n:03d}" for n in range(10)}
    answer_live(live, openids=openids)

    def post(code):
        return GuardedClient().post(
            LOGIN_URL,
            {
                "client_id": "acme-shop",
                "identity_source": "acme-live",
                "code": code,
                "phone_code": f"phone-{code}",
            },
            content_type="application/json",
        )

    answers = together(post, list(openids))

    assert [answer.status_code for answer in answers] == [200] * 10
    statuses = [answer.json()["phone"]["status"] for answer in answers]
    assert sorted(statuses) == ["stored"] + ["taken"] * 9
    assert sorted(stored()) == [""] * 9 + ["+8613800138009"]
    assert len(live.calls) == 10 + 1 + 10


def verified_user(tenant, number, **fields):
    return builders.make_user(
        tenant.pool, phone_number=number, phone_number_verified_at=timezone.now(), **fields
    )


def claims_of(token):
    """Read a token's claims; its signature is another test's business."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize(
    ("status", "error"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_nobodys_number_is_paid_for_who_is_refused_anyway(acme, log_in, wechat, status, error):
    log_in()
    User.objects.update(status=status)
    wechat.exchanges.clear()

    response = log_in(phone_code=builders.get_phone_number())

    assert response.json()["error"] == error
    assert PHONE_CALL not in wechat.calls


def test_no_strangers_number_is_paid_for_at_a_login_only_source(acme, log_in, wechat):
    acme.source.registration = "closed"
    acme.source.save()

    response = log_in(phone_code=builders.get_phone_number())

    assert response.json()["error"] == "registration_closed"
    assert PHONE_CALL not in wechat.calls

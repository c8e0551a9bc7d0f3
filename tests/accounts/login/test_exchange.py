"""A code that is sent several times: accounts/login/exchange.py and its door.

WeChat is asked each time. Where it says that the code was used, the identity of the first time is
repeated; where nothing was stored, WeChat's refusal stays.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import ANY

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from accounts.login import waiting
from accounts.login.exchange import (
    PATIENCE,
    CodeObserver,
    WeChatIdentity,
    exchange,
    exchange_key,
    spend_once,
)
from accounts.models import CodeExchange, LinkedAccount, Session, User
from accounts.users.linking import link
from config.kernel.encryption import DecryptionError
from config.kernel.errors import DomainError
from config.kernel.rows import send
from identity_sources.sandbox import Fault, FaultKind, openid_of, unionid_of
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.faults import refusal as wechat_refuses
from identity_sources.wechat.errcodes import Credential
from identity_sources.wechat.errcodes import refusal as error_of
from identity_sources.wechat.errors import CodeAlreadyUsed, InvalidCode, WeChatUnavailable
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.records import count_rows, event, events, refusal, steps

KEY = exchange_key(purpose="rest", application="a", source="s", code="c")
ALICE = WeChatIdentity(openid="o-alice", unionid="u-alice")
SECOND_APPLICATION = {"client_id": "acme-second", "name": "Second"}
ASKED_TWICE = ["jscode2session"] * 2


class Replays(CodeObserver):
    """Counts the replays that it is told of."""

    def __init__(self):
        self.count = 0

    def replayed(self):
        self.count += 1


@pytest.fixture
def code():
    return builders.wx_login()


@pytest.fixture
def impatient(monkeypatch):
    """Wait only a moment for a first login that never comes."""
    for kind in PATIENCE:
        monkeypatch.setitem(PATIENCE, kind, 0.05)


def outcome(response):
    """Return an answer without what differs from request to request."""
    body = response.json()
    return response.status_code, {
        name: body.get(name) for name in ("error", "error_description", "wechat_errcode")
    }


def says(errcode):
    """Return a question to WeChat that it refuses with this errcode."""

    def ask():
        raise error_of(
            call="jscode2session",
            errcode=errcode,
            errmsg="",
            rid=None,
            credential=Credential.APP_SECRET,
        )

    return ask


def names_alice():
    return ALICE.openid, ALICE.unionid


def store(identity=ALICE, key=KEY):
    """Store an identity as a login does."""
    named = WeChatIdentity(openid=identity.openid, unionid=identity.unionid, key=key)
    with transaction.atomic():
        send(*named.storing())


# A replay at the door


def test_the_same_code_logs_the_same_user_in_after_wechat_said_that_it_was_used(
    acme, log_in, wechat, code
):
    first, second = log_in(code=code).json(), log_in(code=code).json()

    assert wechat.calls == ASKED_TWICE
    assert second["user"] == first["user"]
    assert (first["created"], second["created"]) == (True, False)
    assert User.objects.count() == 1
    assert events() == [event(), event(replayed=True, decision="matched_openid")]
    assert [step["step"] for step in steps()] == [
        *("checked", "asked", "replayed", "identity", "matched", "issued")
    ]
    assert steps()[1]["errcode"] == 40163


def test_a_replay_is_a_login_of_its_own(acme, log_in, code):
    first, second = log_in(code=code).json(), log_in(code=code).json()

    assert Session.objects.count() == 2
    assert first["refresh_token"] != second["refresh_token"]
    assert first["access_token"] != second["access_token"]


def test_a_replay_writes_no_second_row(acme, log_in, code):
    log_in(code=code)
    before, stored = count_rows(), CodeExchange.objects.values().get()

    log_in(code=code)

    assert count_rows() - before == {
        "accounts.Session": 1,
        "accounts.RefreshToken": 1,
        "accounts.LoginEvent": 1,
    }
    assert CodeExchange.objects.values().get() == stored


def test_after_a_minute_nothing_is_repeated(acme, log_in, wechat, code, impatient):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in(code=code)
        clock.shift(timedelta(seconds=59))
        late = log_in(code=code)
        clock.shift(timedelta(seconds=1))
        too_late = log_in(code=code)

    # A replay doesn't make the identity last longer.
    assert late.status_code == 200
    assert outcome(too_late) == (
        400,
        {"error": "code_already_used", "error_description": ANY, "wechat_errcode": 40163},
    )
    assert wechat.calls == ["jscode2session"] * 3
    assert [row["replayed"] for row in events()] == [False, True, False]


def test_another_application_cannot_use_what_was_exchanged(acme, log_in, wechat, code, impatient):
    second = builders.make_application(acme.pool, **SECOND_APPLICATION)
    builders.offer(second, acme.source)

    log_in(code=code)
    response = log_in(code=code, client_id="acme-second")

    assert outcome(response)[1]["error"] == "code_already_used"
    assert wechat.calls == ASKED_TWICE
    assert CodeExchange.objects.count() == 1


def test_another_source_cannot_use_what_was_exchanged(acme, log_in, wechat, code, impatient):
    other = builders.make_source(
        acme.pool, identifier="acme-other", app_id=builders.SECOND_MINI_APP_ID
    )
    builders.offer(acme.application, other, position=1)

    log_in(code=code, identity_source="acme-mini")
    response = log_in(code=code, identity_source="acme-other")

    assert outcome(response)[1]["error"] == "invalid_code"
    assert wechat.calls == ASKED_TWICE


def test_another_pool_cannot_use_what_was_exchanged(acme, globex, log_in, wechat, code, impatient):
    log_in(code=code)
    response = log_in(code=code, client_id="globex-shop")

    assert outcome(response)[1]["error"] == "invalid_code"
    assert wechat.calls == ASKED_TWICE


def test_another_door_cannot_use_what_was_exchanged(acme, log_in, wechat, code, impatient):
    log_in(code=code)
    user = User.objects.get()

    with pytest.raises(DomainError) as refused:
        link(
            user,
            application=acme.application,
            identity_source=None,
            code=code,
            now=timezone.now(),
        )

    assert refused.value.code == "code_already_used"
    assert wechat.calls == ASKED_TWICE


def test_a_replay_needs_the_clients_secret_as_well(acme, log_in, wechat, code):
    confidential = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(confidential, acme.source)
    log_in(code=code, client_id="acme-safe", client_secret=builders.CLIENT_SECRET)

    assert outcome(log_in(code=code, client_id="acme-safe"))[1]["error"] == "invalid_client"
    assert wechat.calls == ["jscode2session"]


# Every rule runs again


@pytest.mark.parametrize(
    ("status", "word"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_a_replay_of_a_user_who_is_no_longer_active_is_refused(acme, log_in, code, status, word):
    log_in(code=code)
    User.objects.update(status=status)

    response = log_in(code=code)

    assert (response.status_code, response.json()["error"]) == (403, word)
    assert events()[1] == refusal(word, replayed=True)


def test_a_replay_at_a_source_that_was_switched_off_is_refused(acme, log_in, wechat, code):
    log_in(code=code)
    acme.source.enabled = False
    acme.source.save()

    assert outcome(log_in(code=code))[1]["error"] == "identity_source_disabled"
    assert wechat.calls == ["jscode2session"]


def test_a_replay_of_a_person_who_was_unlinked_finds_them_no_more(acme, log_in, code):
    log_in(code=code)
    LinkedAccount.objects.all().delete()

    response = log_in(code=code)

    assert response.json()["created"] is True
    assert User.objects.count() == 2


# Refusals


def test_a_refusal_of_ours_keeps_the_identity_and_may_be_over_at_the_replay(
    acme, log_in, wechat, code
):
    acme.source.registration = "closed"
    acme.source.save()
    before = count_rows()
    refused = log_in(code=code)
    written = count_rows() - before
    acme.source.registration = "open"
    acme.source.save()

    assert refused.status_code == 403
    assert written == {"accounts.LoginEvent": 1, "accounts.CodeExchange": 1}
    assert log_in(code=code).json()["created"] is True
    assert wechat.calls == ASKED_TWICE
    assert [row["replayed"] for row in events()] == [False, True]


def test_a_fault_of_ours_keeps_the_identity_too(acme, client, log_in, monkeypatch, code):
    def fail(*_arguments, **_named):
        raise RuntimeError("a fault")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("accounts.login.rules.issue_tokens", fail)
        assert log_in(code=code).status_code == 500

    assert log_in(code=code).json()["created"] is True


def test_what_an_older_version_kept_of_a_refusal_is_no_identity(acme, log_in, wechat, code):
    log_in(code=code)
    row = CodeExchange.objects.get()
    row.answer_ciphertext = row.seal_answer('{"call": "jscode2session", "errcode": 40029}')
    row.save()

    assert log_in(code=code).json()["error"] == "code_already_used"


def test_a_refusal_of_ours_is_repeated_as_often_as_the_code_is_sent(acme, log_in, wechat, code):
    acme.source.registration = "closed"
    acme.source.save()

    answers = [outcome(log_in(code=code)) for _ in range(3)]

    assert answers == [answers[0]] * 3
    assert answers[0][1]["error"] == "registration_closed"
    assert CodeExchange.objects.count() == 1


def test_a_refused_link_keeps_the_identity_as_well(acme, log_in, wechat, code):
    log_in()
    other = builders.make_user(acme.pool)
    fields = {"application": acme.application, "identity_source": None, "code": code}

    for _ in range(2):
        with pytest.raises(DomainError) as refused:
            link(other, **fields, now=timezone.now())
        assert refused.value.code == "identity_taken"

    assert wechat.calls == ["jscode2session"] * 3


@pytest.mark.parametrize("errcode", [40029, 42003, 40163, 40226])
def test_what_wechat_refuses_is_asked_again_and_not_stored(
    acme, log_in, wechat, code, errcode, impatient
):
    wechat.script(wechat_refuses(errcode))

    first, second = log_in(code=code), log_in(code=code)

    assert first.json()["wechat_errcode"] == errcode
    assert (second.status_code, second.json()["created"]) == (200, True)
    assert wechat.calls == ASKED_TWICE
    assert events()[1] == event()


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (wechat_refuses(-1), 2),
        (wechat_refuses(45011), 1),
        (wechat_refuses(45009), 1),
        (wechat_refuses(40125), 1),
        (wechat_refuses(40164), 1),
        (wechat_refuses(41008), 1),
        (wechat_refuses(12345), 1),
        (Fault(FaultKind.CONNECTION_REFUSED), 2),
        (Fault(FaultKind.HTML_PAGE), 1),
        (http_status(302), 1),
    ],
    ids=lambda value: str(value.errcode or value.kind) if isinstance(value, Fault) else "",
)
def test_what_may_be_over_is_asked_again(acme, log_in, wechat, code, fault, times):
    wechat.script(fault, times=times)

    first, second = log_in(code=code), log_in(code=code)

    assert first.status_code in {429, 500, 502, 503}
    assert (second.status_code, second.json()["created"]) == (200, True)
    assert wechat.calls == ["jscode2session"] * (times + 1)
    assert events()[1] == event()


@pytest.mark.parametrize("errcode", [40163, 40029, 42003])
def test_each_word_of_wechats_for_a_used_code_finds_the_identity(
    acme, log_in, wechat, code, errcode
):
    log_in(code=code)
    wechat.script(wechat_refuses(errcode))

    assert log_in(code=code).json()["created"] is False
    assert events()[1]["replayed"] is True


@pytest.mark.parametrize("errcode", [40226, 45011, 40125])
def test_any_other_word_of_wechats_repeats_nothing(acme, log_in, wechat, code, errcode):
    log_in(code=code)
    wechat.script(wechat_refuses(errcode))

    assert log_in(code=code).json()["wechat_errcode"] == errcode
    assert events()[1]["replayed"] is False


def test_a_repetition_of_ours_that_is_refused_finds_what_was_stored(acme, log_in, wechat, code):
    """WeChat says -1, so it is asked once more in the same call; then it says "used"."""
    log_in(code=code)
    wechat.script(wechat_refuses(-1))

    response = log_in(code=code)

    assert response.json()["created"] is False
    assert wechat.calls == ["jscode2session"] * 3
    assert steps()[1]["attempts"] == 2
    assert (steps()[1]["errcode"], steps()[2]["step"]) == (40163, "replayed")


# In vain


@pytest.mark.parametrize(("errcode", "seconds"), [(40163, 1.0), (40029, 0.25), (42003, 0.25)])
def test_who_waits_in_vain_is_refused_with_wechats_answer(
    acme, log_in, wechat, code, errcode, seconds
):
    wechat.script(wechat_refuses(errcode))
    started = time.monotonic()

    response = log_in(code=code)

    assert seconds <= time.monotonic() - started < seconds + 0.7
    word = "code_already_used" if errcode == 40163 else "invalid_code"
    assert (response.status_code, response.json()["error"]) == (400, word)
    assert response.json()["wechat_errcode"] == errcode
    assert response.json()["wechat_rid"]
    assert wechat.calls == ["jscode2session"]
    assert CodeExchange.objects.count() == 0
    assert events() == [
        refusal(word, wechat_errcode=errcode, wechat_rid=response.json()["wechat_rid"])
    ]


def test_who_waits_in_vain_is_counted_by_the_throttle(
    acme, log_in, wechat, settings, impatient, frozen_clock
):
    settings.THROTTLE_LOGIN_PER_ADDRESS = "3/min"
    wechat.script(wechat_refuses(40163), times=9)

    statuses = [log_in(code=builders.wx_login()).status_code for _ in range(4)]

    assert statuses == [400, 400, 400, 429]


# At the same time


@pytest.mark.parametrize("times", [5, 8])
def test_concurrent_duplicates_are_one_person_and_ask_wechat_each(
    threaded_database, acme, wechat, code, together, times
):
    # WeChat has used the code up before its late answer.
    wechat.script(latency(0.1))

    answers = together(post, [code] * times)

    assert [status for status, _ in answers] == [200] * times
    assert len({body["user"]["sub"] for _, body in answers}) == 1
    assert [body["created"] for _, body in answers].count(True) == 1
    assert wechat.calls == ["jscode2session"] * times
    assert [row["replayed"] for row in events()].count(True) == times - 1
    assert User.objects.count() == 1
    assert CodeExchange.objects.count() == 1


def test_duplicates_of_a_refused_first_login_are_refused_alike(
    threaded_database, acme, wechat, code, together
):
    acme.source.registration = "closed"
    acme.source.save()
    wechat.script(latency(0.1))

    answers = together(post, [code] * 5)

    assert {(status, body["error"]) for status, body in answers} == {(403, "registration_closed")}
    assert [row["replayed"] for row in events()].count(True) == 4
    assert User.objects.count() == 0
    assert CodeExchange.objects.count() == 1


def test_a_duplicate_of_a_first_login_that_failed_is_refused(
    threaded_database, acme, wechat, code, together
):
    """WeChat used the code up, and its answer to the first request was lost."""
    wechat.script(Fault(FaultKind.CONNECTION_DROPPED, delay_seconds=0.2))

    answers = together(post, [code] * 2)

    assert sorted((status, body["error"]) for status, body in answers) == [
        (400, "code_already_used"),
        (503, "wechat_unavailable"),
    ]
    assert User.objects.count() == 0


def test_two_successes_for_one_code_store_one_row_and_log_one_user_in(
    threaded_database, weixin, together
):
    """A WeChat that doesn't care answers each of them, so nothing is repeated."""
    code = weixin.code("o-alice", "u-alice")

    entered = together(lambda _: weixin.enter("o-alice", "u-alice", code=code), range(4))

    assert len({login.user.pk for login in entered}) == 1
    assert len(weixin.asked) == 4
    assert CodeExchange.objects.count() == 1
    assert [row["replayed"] for row in events()] == [False] * 4
    assert CodeExchange.objects.get().answer() == '{"openid": "o-alice", "unionid": "u-alice"}'


def test_nine_duplicates_without_a_first_are_eight_waiters(
    threaded_database, together, monkeypatch, settings
):
    settings.THREADS_PER_WORKER = 400
    waited = durations(together, monkeypatch, keys=[KEY] * 9)

    assert len([seconds for seconds in waited if seconds >= 0.6]) == waiting.MOST_FOR_ONE_KEY == 8
    assert len([seconds for seconds in waited if seconds < 0.5]) == 1


def test_waiters_of_different_codes_are_a_quarter_of_the_threads(
    threaded_database, together, monkeypatch, settings
):
    settings.THREADS_PER_WORKER = 16
    waited = durations(together, monkeypatch, keys=[f"{KEY}{number}" for number in range(7)])

    assert len([seconds for seconds in waited if seconds >= 0.6]) == 4
    assert len([seconds for seconds in waited if seconds < 0.5]) == 3


def durations(together, monkeypatch, *, keys):
    """Let each exchange in its own thread be refused as used; return how long each took."""
    monkeypatch.setitem(PATIENCE, CodeAlreadyUsed, 0.6)

    def refused(key):
        connection.ensure_connection()
        started = time.monotonic()
        with pytest.raises(CodeAlreadyUsed):
            exchange(key, says(40163))
        return time.monotonic() - started

    return together(refused, keys)


def test_a_waiter_sees_what_is_committed_meanwhile(threaded_database):
    replays = Replays()
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(in_thread, lambda: exchange(KEY, says(40163), replays))
        time.sleep(0.2)
        still_waits = not waiter.done()
        store()

        assert (waiter.result(), replays.count) == (ALICE, 1)
    assert still_waits


def test_a_waiter_does_not_see_what_is_not_committed(threaded_database, monkeypatch):
    monkeypatch.setitem(PATIENCE, CodeAlreadyUsed, 0.2)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        store()
        waiter = pool.submit(in_thread, lambda: exchange(KEY, says(40163)))
        with pytest.raises(CodeAlreadyUsed):
            waiter.result()


def post(code):
    response = GuardedClient().post(
        LOGIN_URL, {"client_id": "acme-shop", "code": code}, content_type="application/json"
    )
    return response.status_code, response.json()


def in_thread(work):
    try:
        return work()
    finally:
        connection.close()


# The module itself


def test_a_new_identity_is_the_callers_to_store(db):
    identity = exchange(KEY, names_alice)

    assert (identity, identity.key) == (ALICE, KEY)
    assert CodeExchange.objects.count() == 0
    assert KEY not in repr(identity)


@pytest.mark.parametrize("unionid", ["u-alice", None])
@pytest.mark.parametrize("errcode", [40163, 40029, 42003])
def test_an_identity_is_repeated_as_it_was_and_not_stored_again(db, unionid, errcode):
    identity = WeChatIdentity(openid="o-alice", unionid=unionid)
    store(identity)
    replays = Replays()

    repeated = exchange(KEY, says(errcode), replays)

    assert (repeated, replays.count) == (identity, 1)
    assert repeated.storing() == []


def test_a_failure_is_neither_waited_for_nor_repeated(db):
    store()

    def fail():
        raise WeChatUnavailable("timed_out")

    with pytest.raises(WeChatUnavailable):
        exchange(KEY, fail)


def test_an_identity_of_another_code_is_not_repeated(db, impatient):
    store(key="another")

    with pytest.raises(InvalidCode):
        exchange(KEY, says(40029))


def test_an_identity_that_is_stored_twice_is_one_row_with_the_newer_time(db):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        store()
        clock.shift(timedelta(seconds=30))
        store()

        assert CodeExchange.objects.get().expires_at == timezone.now() + timedelta(seconds=60)


def test_an_identity_is_stored_if_the_block_is_refused(db):
    identity = exchange(KEY, names_alice)

    with pytest.raises(DomainError), identity.stored_if_refused():
        raise DomainError

    assert exchange(KEY, says(40163)) == ALICE


def test_a_row_holds_neither_code_nor_identity_in_clear(acme, log_in, code):
    log_in(code=code)

    row = CodeExchange.objects.get()
    kept = row.key.encode() + bytes(row.answer_ciphertext)
    for secret in (
        code,
        openid_of(acme.source.app_id, "alice"),
        unionid_of(acme.source.app_id, "alice"),
    ):
        assert secret.encode() not in kept
    assert openid_of(acme.source.app_id, "alice") in row.answer()


def test_an_answer_cannot_be_read_from_another_row(db):
    store()
    row = CodeExchange.objects.get()
    moved = CodeExchange(key="another", answer_ciphertext=row.answer_ciphertext)

    with pytest.raises(DecryptionError):
        moved.answer()


PARTS = {"purpose": "rest", "application": "a", "source": "s", "code": "c", "bound_to": "b"}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_a_key_counts(name):
    assert exchange_key(**PARTS) != exchange_key(**PARTS | {name: "other"})


def test_parts_of_a_key_do_not_run_into_each_other():
    assert exchange_key(**PARTS | {"application": "as", "source": ""}) != exchange_key(
        **PARTS | {"application": "a", "source": "s"}
    )


def test_a_key_depends_on_the_installations_secret(settings):
    before = exchange_key(**PARTS)
    settings.ENCRYPTION_KEYS = (b"another key of thirty-two bytes.",)

    assert exchange_key(**PARTS) != before


def test_a_code_is_spent_once(db):
    assert spend_once(KEY, lives=timedelta(minutes=5)) is True
    assert spend_once(KEY, lives=timedelta(minutes=5)) is False


def test_a_code_is_spent_once_among_threads(threaded_database, together):
    spent = together(lambda _: spend_once(KEY, lives=timedelta(minutes=5)), [0] * 10)

    assert sorted(spent) == [False] * 9 + [True]


def test_logins_sweep_now_and_then(acme, log_in, monkeypatch):
    for key, seconds in (("over", -1), ("kept", 60)):
        expires_at = timezone.now() + timedelta(seconds=seconds)
        CodeExchange.objects.create(key=key, expires_at=expires_at)
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", 0)

    log_in()

    kept = CodeExchange.objects.values_list("key", flat=True)
    assert len(kept) == 2
    assert "over" not in kept
    assert "kept" in kept

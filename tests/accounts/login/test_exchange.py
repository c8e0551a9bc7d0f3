"""One code is exchanged once, however often it is sent: accounts/login/exchange.py and its door."""

import threading
import time
from datetime import timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.login import exchange
from accounts.login.exchange import (
    CodeObserver,
    WeChatIdentity,
    exchange_key,
    exchange_once,
    spend_once,
)
from accounts.models import CodeExchange, Session, User
from accounts.refusals import WeChatAway
from config.kernel.encryption import DecryptionError
from identity_sources.gateway import longest_call
from identity_sources.sandbox import Fault, FaultKind, openid_of, unionid_of
from identity_sources.sandbox.faults import http_status, latency
from identity_sources.sandbox.faults import refusal as wechat_refuses
from identity_sources.wechat.errors import WeChatUnavailable
from tests.support import builders
from tests.support.client import LOGIN_URL, GuardedClient
from tests.support.records import count_rows, event, events, refusal

KEY = exchange_key(purpose="rest", application="a", source="s", code="c")
ALICE = WeChatIdentity(openid="o-alice", unionid="u-alice")


class Replays(CodeObserver):
    """Counts the replays that it is told of."""

    def __init__(self):
        self.count = 0

    def replayed(self):
        self.count += 1


SECOND_APPLICATION = {"client_id": "acme-second", "name": "Second"}


@pytest.fixture
def code():
    return builders.wx_login()


def outcome(response):
    """Return an answer without what differs from request to request."""
    body = response.json()
    return response.status_code, {
        name: body.get(name) for name in ("error", "error_description", "wechat_errcode")
    }


# A replay at the door


def test_the_same_code_logs_the_same_user_in_without_asking_wechat(acme, log_in, wechat, code):
    first, second = log_in(code=code).json(), log_in(code=code).json()

    assert wechat.calls == ["jscode2session"]
    assert second["user"] == first["user"]
    assert (first["created"], second["created"]) == (True, False)
    assert User.objects.count() == 1
    assert events() == [event(), event(replayed=True, decision="matched_openid")]
    assert events()[1]["wechat_milliseconds"] is None


def test_a_replay_is_a_login_of_its_own(acme, log_in, code):
    first, second = log_in(code=code).json(), log_in(code=code).json()

    assert Session.objects.count() == 2
    assert first["refresh_token"] != second["refresh_token"]
    assert first["access_token"] != second["access_token"]


def test_after_a_minute_wechat_is_asked_again_and_says_that_it_was_used(acme, log_in, wechat, code):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        log_in(code=code)
        clock.shift(timedelta(seconds=59))
        late = log_in(code=code)
        clock.shift(timedelta(seconds=1))
        too_late = log_in(code=code)

    assert late.status_code == 200
    assert outcome(too_late) == (
        400,
        {"error": "code_already_used", "error_description": ANY, "wechat_errcode": 40163},
    )
    assert wechat.calls == ["jscode2session"] * 2
    assert [row["replayed"] for row in events()] == [False, True, False]


def test_another_application_cannot_use_what_was_exchanged(acme, log_in, wechat, code):
    second = builders.make_application(acme.pool, **SECOND_APPLICATION)
    builders.offer(second, acme.source)

    log_in(code=code)
    response = log_in(code=code, client_id="acme-second")

    assert outcome(response)[1]["error"] == "code_already_used"
    assert wechat.calls == ["jscode2session"] * 2
    assert CodeExchange.objects.count() == 2


def test_another_source_cannot_use_what_was_exchanged(acme, log_in, wechat, code):
    other = builders.make_source(
        acme.pool, identifier="acme-other", app_id=builders.SECOND_MINI_APP_ID
    )
    builders.offer(acme.application, other, position=1)

    log_in(code=code, identity_source="acme-mini")
    response = log_in(code=code, identity_source="acme-other")

    assert outcome(response)[1]["error"] == "invalid_code"
    assert wechat.calls == ["jscode2session"] * 2


def test_another_pool_cannot_use_what_was_exchanged(acme, globex, log_in, wechat, code):
    log_in(code=code)
    response = log_in(code=code, client_id="globex-shop")

    assert outcome(response)[1]["error"] == "invalid_code"
    assert wechat.calls == ["jscode2session"] * 2


def test_a_replay_needs_the_clients_secret_as_well(acme, log_in, wechat, code):
    confidential = builders.make_application(
        acme.pool, client_id="acme-safe", client_secret=builders.CLIENT_SECRET
    )
    builders.offer(confidential, acme.source)
    log_in(code=code, client_id="acme-safe", client_secret=builders.CLIENT_SECRET)

    assert outcome(log_in(code=code, client_id="acme-safe"))[1]["error"] == "invalid_client"


# Every rule runs again


@pytest.mark.parametrize(
    ("status", "word"), [("suspended", "user_suspended"), ("closed", "account_closed")]
)
def test_a_replay_of_a_user_who_is_no_longer_active_is_refused(
    acme, log_in, wechat, code, status, word
):
    log_in(code=code)
    User.objects.update(status=status)

    response = log_in(code=code)

    assert (response.status_code, response.json()["error"]) == (403, word)
    assert wechat.calls == ["jscode2session"]
    assert events()[1] == refusal(word, replayed=True)


def test_a_replay_at_a_source_that_was_switched_off_is_refused(acme, log_in, code):
    log_in(code=code)
    acme.source.enabled = False
    acme.source.save()

    assert outcome(log_in(code=code))[1]["error"] == "identity_source_disabled"


def test_a_refusal_of_ours_may_be_over_at_the_replay(acme, log_in, wechat, code):
    acme.source.registration = "closed"
    acme.source.save()
    refused = log_in(code=code)
    acme.source.registration = "open"
    acme.source.save()

    assert refused.status_code == 403
    assert log_in(code=code).json()["created"] is True
    assert wechat.calls == ["jscode2session"]


# Refusals


@pytest.mark.parametrize("errcode", [40029, 42003, 40163, 40226])
def test_what_wechat_will_say_again_is_repeated_as_it_was(acme, log_in, wechat, code, errcode):
    wechat.script(wechat_refuses(errcode))

    first, second = log_in(code=code), log_in(code=code)

    assert second.status_code == first.status_code
    assert second.json() | {"request_id": ""} == first.json() | {"request_id": ""}
    assert second.json()["wechat_errcode"] == errcode
    assert second.json()["wechat_rid"]
    assert wechat.calls == ["jscode2session"]
    assert [row["replayed"] for row in events()] == [False, True]
    assert [row["wechat_errcode"] for row in events()] == [errcode] * 2


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


# At the same time


def test_concurrent_duplicates_ask_wechat_once_and_are_all_the_same_user(
    threaded_database, acme, wechat, code, together
):
    wechat.script(latency(0.3))

    answers = together(post, [code] * 8)

    assert [status for status, _ in answers] == [200] * 8
    assert len({body["user"]["sub"] for _, body in answers}) == 1
    assert [body["created"] for _, body in answers].count(True) == 1
    assert wechat.calls == ["jscode2session"]
    assert [row["replayed"] for row in events()].count(True) == 7
    assert User.objects.count() == 1


def test_concurrent_duplicates_share_a_passing_failure(
    threaded_database, acme, wechat, code, together
):
    # Long enough for the last of them to come before the first has failed, on a busy machine too.
    wechat.script(Fault(FaultKind.HTML_PAGE, delay_seconds=2), times=8)

    answers = together(post, [code] * 8)

    assert [status for status, _ in answers] == [503] * 8
    assert wechat.calls == ["jscode2session"]


def test_concurrent_duplicates_share_a_final_refusal(
    threaded_database, acme, wechat, code, together
):
    wechat.script(Fault(FaultKind.REFUSAL, errcode=40029, delay_seconds=0.3), times=8)

    answers = together(post, [code] * 8)

    assert [status for status, _ in answers] == [400] * 8
    assert len({body["wechat_rid"] for _, body in answers}) == 1
    assert wechat.calls == ["jscode2session"]


def post(code):
    response = GuardedClient().post(
        LOGIN_URL, {"client_id": "acme-shop", "code": code}, content_type="application/json"
    )
    return response.status_code, response.json()


# The module itself


def crash():
    raise SystemExit("the process ends here")


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ask(asked):
    def answer():
        asked.append(1)
        return ALICE

    return answer


def test_a_holder_that_crashed_is_taken_over_when_its_time_is_up(db, ask, asked):
    replays = Replays()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with pytest.raises(SystemExit):
            exchange_once(KEY, crash)
        clock.shift(longest_call() + timedelta(seconds=5))

        identity = exchange_once(KEY, ask, replays)

    assert (identity, replays.count) == (ALICE, 0)
    assert asked == [1]
    assert CodeExchange.objects.get().state == CodeExchange.State.DONE


def test_a_duplicate_waits_for_a_crashed_holder_only_until_its_time_is_up(db, ask):
    hold(lives=timedelta(seconds=0.3))
    started, replays = time.monotonic(), Replays()

    exchange_once(KEY, ask, replays)

    assert replays.count == 0
    assert 0.2 < time.monotonic() - started < 5


def test_a_holder_that_never_ends_is_waited_for_no_longer_than_it_may_hold(
    db, ask, asked, monkeypatch, settings
):
    settings.WECHAT_TIMEOUT_SECONDS = 0.05
    monkeypatch.setattr(exchange, "HELD_MARGIN", timedelta(0))
    hold(lives=timedelta(hours=1))

    with pytest.raises(WeChatAway):
        exchange_once(KEY, ask)

    assert asked == []


def test_a_crashed_holder_is_taken_over_by_one_of_many(threaded_database, asked, together):
    hold(lives=timedelta(seconds=-1))

    def ask_slowly():
        asked.append(1)
        time.sleep(0.3)
        return ALICE

    observers = [Replays() for _ in range(10)]
    identities = together(lambda observer: exchange_once(KEY, ask_slowly, observer), observers)

    assert asked == [1]
    assert [observer.count for observer in observers].count(0) == 1
    assert set(identities) == {ALICE}


def test_a_duplicate_goes_on_when_the_row_it_waits_for_is_swept_away(threaded_database, ask, asked):
    hold(lives=timedelta(hours=1))
    sweeper = threading.Timer(0.2, sweep_everything)
    sweeper.start()
    replays = Replays()

    exchange_once(KEY, ask, replays)

    sweeper.join()
    assert (replays.count, asked) == (0, [1])


def sweep_everything():
    CodeExchange.objects.all().delete()
    connection.close()


def test_a_late_answer_does_not_overwrite_that_of_its_successor(db):
    """A holder that was taken over while it waited for WeChat keeps its answer to itself."""

    def taken_over_meanwhile():
        CodeExchange.objects.update(holder=uuid4())
        return ALICE

    exchange_once(KEY, taken_over_meanwhile)

    assert CodeExchange.objects.get().state == CodeExchange.State.PENDING


def test_a_passing_failure_is_not_kept_for_those_who_come_later(db, ask, asked):
    def fail():
        raise WeChatUnavailable("timed_out")

    with pytest.raises(WeChatUnavailable):
        exchange_once(KEY, fail)
    assert exchange_once(KEY, ask) == ALICE
    assert asked == [1]


@pytest.mark.parametrize("unionid", ["u-alice", None])
def test_an_identity_is_recalled_as_it_was(db, unionid):
    identity = WeChatIdentity(openid="o-alice", unionid=unionid)
    exchange_once(KEY, lambda: identity)

    replays = Replays()

    recalled = exchange_once(KEY, crash, replays)

    assert (recalled, replays.count) == (identity, 1)


def test_a_row_holds_neither_code_nor_identity_in_clear(acme, log_in, code):
    log_in(code=code)

    row = CodeExchange.objects.get()
    kept = f"{row.key} {row.state} {row.holder}".encode() + bytes(row.answer_ciphertext)
    for secret in (
        code,
        openid_of(acme.source.app_id, "alice"),
        unionid_of(acme.source.app_id, "alice"),
    ):
        assert secret.encode() not in kept
    assert openid_of(acme.source.app_id, "alice") in row.answer()


def test_an_answer_cannot_be_read_from_another_row(db):
    exchange_once(KEY, lambda: ALICE)
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
    hold(key="over", lives=timedelta(seconds=-1))
    hold(key="kept", lives=timedelta(minutes=1))
    monkeypatch.setattr("accounts.login.exchange.sweeper.due_at", 0)

    log_in()

    kept = CodeExchange.objects.values_list("key", flat=True)
    assert len(kept) == 2
    assert "over" not in kept
    assert "kept" in kept


def test_a_replay_writes_no_second_row(acme, log_in, code):
    log_in(code=code)
    before = count_rows()

    log_in(code=code)

    assert count_rows() - before == {
        "accounts.Session": 1,
        "accounts.RefreshToken": 1,
        "accounts.LoginEvent": 1,
    }


def hold(*, lives, key=KEY, now=None):
    """Leave a row as a request does that is still waiting for WeChat."""
    CodeExchange.objects.create(
        key=key,
        holder=uuid4(),
        state=CodeExchange.State.PENDING,
        expires_at=(now or timezone.now()) + lives,
    )

"""WeChat's application access token: fetched once, shared by all, never by another pool."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from config.kernel.encryption import DecryptionError
from identity_sources import access_tokens
from identity_sources.access_tokens import call_with_access_token
from identity_sources.gateway import sandbox, wechat_client
from identity_sources.models import IdentitySource, WeChatAccessToken
from identity_sources.sandbox import faults, openid_of, sandbox_app_secret
from identity_sources.wechat.client import CallRecord
from identity_sources.wechat.errors import (
    AccessTokenRejected,
    OpenIdMismatch,
    SourceMisconfigured,
    WeChatError,
    WeChatUnavailable,
)
from tests.support import builders

AS_LONG_AS_A_TOKEN = 7200
STRANGER = "f" * 32
"""An AppSecret of the right form that isn't the AppID's"""


@dataclass
class Caller:
    """Somebody who makes calls for a source, and what was asked of WeChat meanwhile."""

    source: IdentitySource
    records: list[CallRecord] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def ask(self) -> str:
        """Make a call that only looks at the token; return the token."""

        def call(token: str) -> str:
            self.tokens.append(token)
            return token

        return call_with_access_token(self.source, self._client(), call)

    def ask_for_phone(self, person: str = "alice") -> Any:
        """Make a real call; the sandbox judges the token."""
        client, app_id = self._client(), self.source.app_id
        code = builders.get_phone_number(person, app_id)

        def call(token: str) -> Any:
            self.tokens.append(token)
            return client.getuserphonenumber(
                access_token=token, code=code, openid=openid_of(app_id, person)
            )

        return call_with_access_token(self.source, client, call)

    @property
    def fetches(self) -> int:
        """How often WeChat was asked for a token."""
        return [record.call for record in self.records].count("stable_token")

    def row(self) -> WeChatAccessToken:
        return WeChatAccessToken.objects.get(source=self.source)

    def _client(self):
        return wechat_client(self.source, self.records.append)


class InterruptedClient:
    """A client whose process is told to stop while it waits for WeChat."""

    def stable_token(self, **_fields: object) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def caller(acme):
    return Caller(acme.source)


def void_token_of(source: IdentitySource) -> None:
    """Let WeChat reject the token from now on, as after a forced refresh by another system."""
    sandbox_client = wechat_client(source, lambda _record: None)
    sandbox_client.stable_token(
        app_id=source.app_id, app_secret=source.app_secret(), force_refresh=True
    )


def test_another_pool_that_knows_only_the_app_id_gets_no_token(globex, caller):
    caller.ask()
    thief = builders.make_source(
        globex.pool, identifier="stolen", app_id=caller.source.app_id, app_secret=STRANGER
    )

    with pytest.raises(SourceMisconfigured):
        Caller(thief).ask()

    assert bytes(Caller(thief).row().token_ciphertext) == b""


def test_two_pools_with_one_app_keep_a_token_each(globex, caller):
    caller.ask()
    other = Caller(
        builders.make_source(globex.pool, identifier="same", app_id=caller.source.app_id)
    )

    other.ask()

    assert (caller.fetches, other.fetches) == (1, 1)
    assert WeChatAccessToken.objects.count() == 2


def test_a_token_copied_to_another_sources_row_cant_be_read(globex, caller):
    caller.ask()
    row = caller.row()
    row.source = globex.source
    row.fingerprint = WeChatAccessToken.fingerprint_of(
        globex.source.app_id, globex.source.app_secret()
    )
    row.save(force_insert=True)

    with pytest.raises(DecryptionError):
        Caller(globex.source).ask()


def test_a_failure_releases_the_lease(caller):
    sandbox().script("stable_token", faults.refusal(40125))

    with pytest.raises(SourceMisconfigured):
        caller.ask()

    assert caller.row().leased_until is None
    with time_machine.travel(timezone.now() + timedelta(seconds=3)):
        assert caller.ask() == caller.tokens[-1]
    assert caller.fetches == 2


def test_a_failure_is_shared_for_a_moment(caller):
    sandbox().script("stable_token", faults.refusal(40125))
    with pytest.raises(SourceMisconfigured):
        caller.ask()

    with pytest.raises(WeChatUnavailable):
        caller.ask()

    assert caller.fetches == 1


def test_a_failure_that_nobody_expected_releases_the_lease_too(caller):
    with pytest.raises(KeyboardInterrupt):
        call_with_access_token(caller.source, InterruptedClient(), str)

    assert caller.row().leased_until is None


def test_who_waits_too_long_for_another_is_told_so(caller, monkeypatch, settings):
    settings.WECHAT_TIMEOUT_SECONDS = 0.05
    monkeypatch.setattr(access_tokens, "LEASE_MARGIN", timedelta(0))
    WeChatAccessToken.objects.create(
        source=caller.source, leased_until=timezone.now() + timedelta(seconds=60)
    )

    with pytest.raises(WeChatUnavailable):
        caller.ask()

    assert caller.fetches == 0


def test_a_token_that_is_rejected_twice_is_an_error(caller):
    sandbox().script("getuserphonenumber", faults.refusal(40001), times=2)

    with pytest.raises(AccessTokenRejected):
        caller.ask_for_phone()

    assert caller.fetches == 2


def test_another_refusal_replaces_no_token(caller):
    sandbox().script("getuserphonenumber", faults.refusal(40003))

    with pytest.raises(OpenIdMismatch):
        caller.ask_for_phone()

    assert caller.fetches == 1


def test_the_token_lies_encrypted_in_the_row(caller):
    token = caller.ask()

    stored = WeChatAccessToken.objects.filter(source=caller.source).values().get()

    assert token not in repr(stored)
    assert token.encode() not in bytes(stored["token_ciphertext"])
    assert caller.source.app_secret().encode() not in bytes(stored["fingerprint"])
    assert stored == stored | {"generation": 1, "leased_until": None}


def test_a_token_is_fetched_once_and_then_shared(caller):
    assert caller.ask() == caller.ask()
    assert caller.ask_for_phone().e164 == "+8613800138001"
    assert caller.fetches == 1


def test_a_token_is_renewed_before_it_ends(caller):
    with time_machine.travel(timezone.now(), tick=False) as now:
        caller.ask()
        expires_at = caller.row().expires_at
        early = AS_LONG_AS_A_TOKEN - (expires_at - timezone.now()).total_seconds()
        now.move_to(expires_at - timedelta(seconds=1))
        caller.ask()
        before = caller.fetches
        now.move_to(expires_at)
        caller.ask()

    assert 300 <= early < 360
    assert (before, caller.fetches) == (1, 2)


def test_a_new_app_secret_fetches_anew(caller):
    caller.ask()
    row = caller.row()
    WeChatAccessToken.objects.filter(pk=row.pk).update(
        fingerprint=WeChatAccessToken.fingerprint_of(caller.source.app_id, STRANGER)
    )

    caller.ask()

    assert caller.fetches == 2
    assert bytes(caller.row().fingerprint) == WeChatAccessToken.fingerprint_of(
        caller.source.app_id, sandbox_app_secret(caller.source.app_id)
    )


def test_a_rejected_token_is_replaced_and_the_call_made_again(caller):
    first = caller.ask()
    void_token_of(caller.source)

    phone = caller.ask_for_phone()

    assert phone.e164 == "+8613800138001"
    assert caller.fetches == 2
    assert caller.row().generation == 2
    assert caller.tokens[-1] != first


def test_a_lease_that_has_run_out_is_taken_over(caller):
    WeChatAccessToken.objects.create(
        source=caller.source, leased_until=timezone.now() - timedelta(seconds=1)
    )

    caller.ask()

    assert caller.fetches == 1
    assert caller.row().leased_until is None


@pytest.mark.usefixtures("threaded_database")
def test_ten_threads_ask_wechat_once(caller, together):
    sandbox().script("stable_token", faults.latency(0.3))
    callers = [Caller(caller.source, records=caller.records) for _ in range(10)]

    tokens = together(Caller.ask, callers)

    assert len(set(tokens)) == 1
    assert caller.fetches == 1


@pytest.mark.usefixtures("threaded_database")
def test_ten_threads_replace_a_rejected_token_once(caller, together):
    caller.ask()
    void_token_of(caller.source)
    callers = [Caller(caller.source, records=caller.records) for _ in range(10)]

    phones = together(Caller.ask_for_phone, callers)

    assert {phone.e164 for phone in phones} == {"+8613800138001"}
    assert caller.fetches == 2
    assert caller.row().generation == 2


@pytest.mark.usefixtures("threaded_database")
def test_the_others_share_the_failure_of_the_one_who_fetches(caller, together):
    sandbox().script("stable_token", faults.refusal(40125))
    callers = [Caller(caller.source, records=caller.records) for _ in range(4)]

    results = together(_ask_or_fail, callers)

    assert results.count(SourceMisconfigured) == 1
    assert results.count(WeChatUnavailable) == 3
    assert caller.fetches == 1


def _ask_or_fail(caller: Caller) -> str | type[Exception]:
    try:
        return caller.ask()
    except WeChatError as error:
        return type(error)

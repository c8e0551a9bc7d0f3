"""Exchanging a ``wx.login`` code once, though it may be sent several times.

A double tap, or a retry after a lost answer, sends a code that WeChat has already used. For 60 s
the same code at the same door, application and source returns the same identity. A request that
arrives while the first one waits for WeChat waits too. Only WeChat's answer is stored, encrypted;
all rules of a login are applied again.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import CodeExchange
from accounts.refusals import WeChatAway
from accounts.sweeping import Sweeper
from config.kernel.database import release_connection, save_unless_taken
from config.kernel.encryption import keyed_hash
from config.kernel.primary_keys import new_id
from identity_sources.gateway import longest_call
from identity_sources.wechat.client import CallRecord
from identity_sources.wechat.errcodes import Credential, refusal
from identity_sources.wechat.errors import (
    CodeRefused,
    UserBlocked,
    WeChatError,
    WeChatRefusal,
    WeChatUnavailable,
)

KEPT_FOR = timedelta(seconds=60)
HELD_MARGIN = timedelta(seconds=5)  # for what a holder does besides asking WeChat
POLL_SECONDS = 0.05
sweeper = Sweeper(every=timedelta(seconds=60))

# Errors that WeChat repeats for the same code; any other may be gone at the next attempt.
_FINAL = (CodeRefused, UserBlocked)


@dataclass(frozen=True, kw_only=True)
class WeChatIdentity:
    """The identity that WeChat returned for a code."""

    openid: str
    unionid: str | None


class CodeObserver:
    """Hooks that are called while a code is exchanged; in this class they do nothing."""

    def exchanged(self, record: CallRecord) -> None:
        """WeChat was asked."""

    def replayed(self) -> None:
        """WeChat was asked by an earlier request, whose answer is repeated."""

    def identified(self, identity: WeChatIdentity) -> None:
        """There is an identity."""


UNOBSERVED = CodeObserver()


def exchange_key(
    *, purpose: str, application: str, source: str, code: str, bound_to: str = ""
) -> str:
    """Return the key under which an exchange is stored; the code can't be read from it.

    An answer is repeated only for the same purpose and for the same ``bound_to``.
    """
    return keyed_hash("wechat code exchange", purpose, application, source, code, bound_to).hex()


def exchange_once(
    key: str, ask_wechat: Callable[[], WeChatIdentity], observer: CodeObserver = UNOBSERVED
) -> WeChatIdentity:
    """Exchange a code at WeChat, or repeat its answer if the same code was sent before.

    Raises:
        WeChatError: WeChat refuses the code, or did so before, or can't be asked.
        WeChatAway: another request holds the code and doesn't finish.

    """
    holder = new_id()
    waited_for: uuid.UUID | None = None
    held_for = _held_for()
    deadline = time.monotonic() + held_for.total_seconds()
    held = _insert(key, holder, expires_in=held_for)
    while not held and time.monotonic() < deadline:
        row = CodeExchange.objects.filter(pk=key).first()
        if row is None:
            held = _insert(key, holder, expires_in=held_for)
        elif _is_settled(row, waited_for):
            observer.replayed()
            return _identity_or_error(_recall(row))
        elif row.state == CodeExchange.State.PENDING and row.expires_at > timezone.now():
            waited_for = row.holder
            release_connection()
            time.sleep(POLL_SECONDS)
        else:
            held = _take_over(row, holder)
    if not held:
        raise WeChatAway
    answer = _ask(key, holder, ask_wechat)
    sweeper.sweep_if_due(CodeExchange.objects.filter(expires_at__lt=timezone.now()))
    return _identity_or_error(answer)


def spend_once(key: str, *, lives: timedelta) -> bool:
    """Mark a code with this lifetime as used; return whether it is sent for the first time."""
    return _insert(key, new_id(), state=CodeExchange.State.DONE, expires_in=lives)


def keep_outcome(key: str, outcome: str) -> None:
    """Store the outcome of a used code, in case the code is sent again."""
    sealed = CodeExchange(key=key).seal_answer(outcome)
    CodeExchange.objects.filter(pk=key).update(answer_ciphertext=sealed)


def kept_outcome(key: str) -> str | None:
    """Return the outcome of a used code; None if it isn't stored yet or the code has expired."""
    row = CodeExchange.objects.filter(pk=key, expires_at__gt=timezone.now()).first()
    return row.answer() if row and row.answer_ciphertext else None


def forget(key: str) -> None:
    """Allow a code that didn't reach WeChat to be sent again."""
    CodeExchange.objects.filter(pk=key).delete()


def _held_for() -> timedelta:
    # A holder that takes longer has crashed: its call can't last longer.
    return longest_call() + HELD_MARGIN


def _insert(
    key: str,
    holder: uuid.UUID,
    *,
    expires_in: timedelta,
    state: str = CodeExchange.State.PENDING,
) -> bool:
    expires_at = timezone.now() + expires_in
    row = CodeExchange(key=key, holder=holder, state=state, expires_at=expires_at)
    return save_unless_taken(row, "accounts_codeexchange_pkey", force_insert=True)


def _take_over(row: CodeExchange, holder: uuid.UUID) -> bool:
    taken = CodeExchange.objects.filter(pk=row.pk, holder=row.holder, state=row.state).update(
        holder=holder,
        state=CodeExchange.State.PENDING,
        expires_at=timezone.now() + _held_for(),
    )
    return bool(taken)


def _is_settled(row: CodeExchange, waited_for: uuid.UUID | None) -> bool:
    if row.expires_at <= timezone.now():
        return False
    # Requests that waited share a temporary failure; later requests ask WeChat again.
    failed_while_waiting = row.state == CodeExchange.State.FAILED and row.holder == waited_for
    return row.state == CodeExchange.State.DONE or failed_while_waiting


def _ask(
    key: str, holder: uuid.UUID, ask_wechat: Callable[[], WeChatIdentity]
) -> WeChatIdentity | WeChatError:
    release_connection()
    answer: WeChatIdentity | WeChatError
    try:
        answer = ask_wechat()
    except WeChatError as error:
        answer = error
    passing = isinstance(answer, WeChatError) and not isinstance(answer, _FINAL)
    CodeExchange.objects.filter(pk=key, holder=holder).update(
        state=CodeExchange.State.FAILED if passing else CodeExchange.State.DONE,
        answer_ciphertext=CodeExchange(key=key).seal_answer(_dump(answer)),
        expires_at=timezone.now() + KEPT_FOR,
    )
    return answer


def _identity_or_error(answer: WeChatIdentity | WeChatError) -> WeChatIdentity:
    if isinstance(answer, WeChatError):
        raise answer
    return answer


def _recall(row: CodeExchange) -> WeChatIdentity | WeChatError:
    kept = json.loads(row.answer())
    if "openid" in kept:
        return WeChatIdentity(**kept)
    if "errcode" in kept:
        return refusal(credential=Credential.APP_SECRET, **kept)
    return WeChatUnavailable(kept["reason"])


def _dump(answer: WeChatIdentity | WeChatError) -> str:
    if isinstance(answer, WeChatIdentity):
        return json.dumps(asdict(answer))
    if isinstance(answer, WeChatRefusal):
        facts = ("call", "errcode", "errmsg", "rid")
        return json.dumps({name: getattr(answer, name) for name in facts})
    return json.dumps({"reason": getattr(answer, "reason", "unreadable")})

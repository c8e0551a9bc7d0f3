"""Exchanging a ``wx.login`` code, which WeChat accepts once, though it may be sent several times.

WeChat decides who is first: every request asks it. The identity that it returns is stored for 60 s,
encrypted, in the transaction of the login, or alone if the login is refused. A double tap, or a
retry after a lost answer, sends a code that WeChat has already used: only such a request looks for
the stored identity, and waits for it a moment, since the first login may not be committed yet. All
rules of a login are applied again to a repeated identity.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import Error, transaction
from django.utils import timezone

from accounts.login.waiting import wait_for
from accounts.models import CodeExchange
from accounts.sweeping import Sweeper
from config.kernel.database import one_or_none, release_connection, save_unless_taken
from config.kernel.encryption import keyed_hash
from config.kernel.rows import Statement, insertion, send
from identity_sources.wechat.client import CallRecord
from identity_sources.wechat.errors import CodeAlreadyUsed, CodeRefused, InvalidCode

KEPT_FOR = timedelta(seconds=60)
KEY_BYTES = 16
PATIENCE: dict[type[CodeRefused], float] = {CodeAlreadyUsed: 1.0, InvalidCode: 0.25}
"""How many seconds to wait for the first login with a code that WeChat refuses with this.

WeChat also calls a code invalid that was used and has expired since; mostly it was made up.
"""
_SHARE: dict[type[CodeRefused], float] = {CodeAlreadyUsed: 1.0, InvalidCode: 0.5}
"""Made-up codes leave room for those who wait for a code of their own."""
_REPLACE = 'ON CONFLICT ("key") DO UPDATE SET {}'.format(
    ", ".join(f'"{name}" = EXCLUDED."{name}"' for name in ("answer_ciphertext", "expires_at"))
)
sweeper = Sweeper(every=timedelta(seconds=60))


@dataclass(frozen=True, kw_only=True)
class WeChatIdentity:
    """The identity that WeChat returned for a code.

    ``key`` is that under which it has to be stored; empty if there is nothing to store.
    """

    openid: str
    unionid: str | None
    key: str = field(default="", compare=False, repr=False)

    def storing(self) -> list[Statement]:
        """Return the statement that stores the identity, for when the same code is sent again."""
        if not self.key:
            return []
        row = CodeExchange(key=self.key, expires_at=timezone.now() + KEPT_FOR)
        identity = json.dumps({"openid": self.openid, "unionid": self.unionid})
        row.answer_ciphertext = row.seal_answer(identity)
        return [insertion(row, _REPLACE)]

    def store_after_failure(self) -> None:
        """Store the identity by itself, if the database can be reached, after a login failed.

        WeChat has used the code up: without the identity, the person couldn't try again with it.
        """
        with suppress(Error), transaction.atomic():
            send(*self.storing())

    @contextmanager
    def stored_if_refused(self) -> Iterator[None]:
        """Store the identity if the block fails; if it succeeds, it has stored it itself."""
        try:
            yield
        except Exception:
            self.store_after_failure()
            raise


class CodeObserver:
    """Hooks that are called while a code is exchanged; in this class they do nothing."""

    def exchanged(self, record: CallRecord) -> None:
        """WeChat was asked."""

    def replayed(self) -> None:
        """WeChat gave the identity to an earlier request, whose answer is repeated."""

    def identified(self, identity: WeChatIdentity) -> None:
        """There is an identity."""


UNOBSERVED = CodeObserver()


def exchange_key(
    *, purpose: str, application: str, source: str, code: str, bound_to: str = ""
) -> str:
    """Return the key under which an exchange is stored; the code can't be read from it.

    An answer is repeated only for the same purpose and for the same ``bound_to``. Half of the keyed
    hash is enough to tell codes apart (RFC 2104 §5), and each login writes it twice.
    """
    full = keyed_hash("wechat code exchange", purpose, application, source, code, bound_to)
    return full[:KEY_BYTES].hex()


def exchange(
    key: str,
    ask_wechat: Callable[[], tuple[str, str | None]],
    observer: CodeObserver = UNOBSERVED,
) -> WeChatIdentity:
    """Exchange a code at WeChat, or repeat the identity if the same code was used here before.

    ``ask_wechat`` returns OpenID and UnionID. The caller stores a new identity with what it writes
    (`WeChatIdentity.storing`).

    Raises:
        WeChatError: WeChat refuses the code or can't be asked.

    """
    release_connection()
    try:
        openid, unionid = ask_wechat()
    except tuple(PATIENCE) as refusal:
        kind = type(refusal)
        seconds, share = PATIENCE[kind], _SHARE[kind]
        kept = wait_for(lambda: _kept_identity(key), key, seconds=seconds, share=share)
        if kept is None:
            raise
        observer.replayed()
        return kept
    if sweeper.is_due():
        sweeper.sweep_if_due(CodeExchange.objects.filter(expires_at__lt=timezone.now()))
    return WeChatIdentity(openid=openid, unionid=unionid, key=key)


def spend_once(key: str, *, lives: timedelta) -> bool:
    """Mark a code with this lifetime as used; return whether it is sent for the first time."""
    row = CodeExchange(key=key, expires_at=timezone.now() + lives)
    return save_unless_taken(row, "accounts_codeexchange_pkey", force_insert=True)


def keep_outcome(key: str, outcome: str) -> None:
    """Store the outcome of a used code, in case the code is sent again."""
    sealed = CodeExchange(key=key).seal_answer(outcome)
    CodeExchange.objects.filter(pk=key).update(answer_ciphertext=sealed)


def kept_outcome(key: str) -> str | None:
    """Return the outcome of a used code; None if it isn't stored yet or the code has expired."""
    row = one_or_none(CodeExchange.objects.filter(pk=key, expires_at__gt=timezone.now()))
    return row.answer() if row and row.answer_ciphertext else None


def _kept_identity(key: str) -> WeChatIdentity | None:
    kept = json.loads(kept_outcome(key) or "{}")
    # Before an upgrade, refusals of WeChat's were kept as well.
    return WeChatIdentity(**kept) if "openid" in kept else None


def forget(key: str) -> None:
    """Allow a code that didn't reach WeChat to be sent again."""
    CodeExchange.objects.filter(pk=key).delete()

"""The handlers of WeChat's events. Each handler may run again without harm.

===================================  =========================================================
``user_info_modified``               WeChat cleaned a profile: nickname and avatar are cleared
``user_authorization_revoke``        the withdrawn data is erased; the account stays
``user_authorization_cancellation``  the OpenID of this app is removed, and the UnionID with the
                                     last OpenID of the identity; the account is closed if that
                                     was the last way in
``wxa_punish_event``                 shown in the source's health (identity_sources/health.py)
===================================  =========================================================

Source: https://developers.weixin.qq.com/miniprogram/dev/server/event_push/platform/authorized_user_information_changes
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.locking import LostRace, lock_with_tombstones
from accounts.login.identities import block
from accounts.models import AccountEvent, LinkedAccount, Session, User, WeChatEvent
from accounts.users.closing import close_locked
from accounts.users.linking import remove
from config.kernel.database import one_or_none
from identity_sources.health import note_punishment
from identity_sources.models import IdentitySource
from identity_sources.wechat.push import Push

Kind = LinkedAccount.Kind
Outcome = WeChatEvent.Outcome

EVERYTHING = "301"
_NICKNAME = {"6", "19", "205"}
_AVATAR = {"6", "20", "205"}
_PHONE_NUMBER = {"8"}
# The parts of a punishment's detail that the console shows.
_PUNISHMENT_FACTS = ("suspended_days", "banned_days", "warned_type", "rectify_deadline")
_LONGEST_FACT = 64
# JSON may contain characters that a database refuses.
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Done:
    """The result of an event: its user, and facts without personal data."""

    outcome: WeChatEvent.Outcome
    user: User | None = None
    facts: dict[str, Any] = field(default_factory=dict)


Handler = Callable[[IdentitySource, Push, datetime], Done]


def modify_profile(source: IdentitySource, push: Push, now: datetime) -> Done:
    """Clear nickname and avatar, which WeChat found to violate its rules."""
    account = _account(source, push)
    if account is None:
        return Done(outcome=Outcome.NOBODY)
    return _erase(account.user, ["nickname", "avatar_url"], source, now, {})


def revoke(source: IdentitySource, push: Push, now: datetime) -> Done:
    """Erase the data that the person has withdrawn from the app."""
    items = set(re.findall("[0-9]+", push.fields.get("revokeinfo", "")[:_LONGEST_FACT]))
    if EVERYTHING in items:
        return cancel(source, push, now)
    account = _account(source, push)
    if account is None:
        return Done(outcome=Outcome.NOBODY)
    withdrawn = {
        "nickname": items & _NICKNAME,
        "avatar_url": items & _AVATAR,
        "phone_number": items & _PHONE_NUMBER,
    }
    columns = [column for column, is_withdrawn in withdrawn.items() if is_withdrawn]
    return _erase(account.user, columns, source, now, {"revoke_info": sorted(items)})


def cancel(source: IdentitySource, push: Push, now: datetime) -> Done:
    """Unlink the app's OpenID, and close the account if that was the last way in."""
    account = _account(source, push)
    if account is None:
        return Done(outcome=Outcome.NOBODY)
    user = account.user
    going = _with_orphaned_unionids(account)
    if user.status == User.Status.SUSPENDED:
        block(user, going, now=now)
    remove(user, going, now=now, reason=Session.EndReason.AUTHORIZATION_CANCELLED)
    _record(user, AccountEvent.Kind.AUTHORIZATION_CANCELLED, source, now)
    if not user.email_verified_at and not user.linked_accounts.exists():
        _close(user, source, now)
    return Done(outcome=Outcome.APPLIED, user=user)


def punish(source: IdentitySource, push: Push, now: datetime) -> Done:
    """Record that WeChat punished the app, for the console."""
    event_type = push.fields.get("event_type", "").strip()
    if not re.fullmatch("[0-9]{1,4}", event_type):
        return Done(outcome=Outcome.UNKNOWN)
    facts = _punishment_facts(push.fields.get("detail", ""))
    note_punishment(source, event_type=int(event_type), facts=facts, now=now)
    return Done(outcome=Outcome.APPLIED, facts={**facts, "event_type": int(event_type)})


HANDLERS: dict[str, Handler] = {
    "user_info_modified": modify_profile,
    "user_authorization_revoke": revoke,
    "user_authorization_cancellation": cancel,
    "wxa_punish_event": punish,
}


def _account(source: IdentitySource, push: Push) -> LinkedAccount | None:
    """Lock the user of the event's OpenID, and return its row; None if there is none."""
    row = LinkedAccount.objects.filter(
        pool=source.pool_id, kind=Kind.OPENID, app_id=source.app_id, openid=push.openid
    )
    account = one_or_none(row)
    if account is None:
        return None
    # Tombstones too: undoing a merge must not restore what the person has withdrawn.
    user = lock_with_tombstones(source.pool_id, [account.user_id])[account.user_id]
    if not row.filter(user=user).exists():
        raise LostRace
    account.user = user
    return account


def _with_orphaned_unionids(account: LinkedAccount) -> list[LinkedAccount]:
    """Return the row; if it is the last OpenID of its WeChat identity, also the UnionIDs."""
    identity = LinkedAccount.objects.filter(
        pool=account.pool_id, user=account.user, wechat_identity=account.wechat_identity
    )
    others = list(identity.exclude(pk=account.pk))
    is_last = all(other.kind == Kind.UNIONID for other in others)
    return [account, *others] if is_last else [account]


def _erase(
    user: User,
    columns: list[str],
    source: IdentitySource,
    now: datetime,
    facts: dict[str, Any],
) -> Done:
    emptied: dict[str, str | None] = dict.fromkeys(columns, "")
    if "phone_number" in columns:
        emptied["phone_number_verified_at"] = None
    user.tombstones.update(**emptied)
    erased = [column for column in columns if getattr(user, column)]
    if not erased:
        return Done(outcome=Outcome.NOTHING_TO_DO, user=user, facts=facts)
    for column, nothing in emptied.items():
        setattr(user, column, nothing)
    user.save()
    kind = AccountEvent.Kind.FIELD_ERASED
    AccountEvent.record(user, kind, now=now, identity_source=source, facts={"fields": erased})
    return Done(outcome=Outcome.APPLIED, user=user, facts=facts)


def _close(user: User, source: IdentitySource, now: datetime) -> None:
    if user.status in {User.Status.ACTIVE, User.Status.SUSPENDED}:
        close_locked(user, now=now)
        _record(user, AccountEvent.Kind.CLOSED, source, now)


def _record(user: User, kind: AccountEvent.Kind, source: IdentitySource, now: datetime) -> None:
    AccountEvent.record(user, kind, now=now, identity_source=source)


def _punishment_facts(detail: str) -> dict[str, str | int]:
    """Return the facts to show from a punishment's detail, which is JSON within a string."""
    try:
        found = json.loads(detail)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: _NOT_STORABLE.sub("", str(found[name]))[:_LONGEST_FACT]
        for name in _PUNISHMENT_FACTS
        if isinstance(found.get(name), str | int)
    }

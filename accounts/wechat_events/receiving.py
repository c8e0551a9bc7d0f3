"""Handling each event once, however often WeChat sends it, and recording its result."""

import json
from datetime import UTC, datetime

from accounts.locking import in_transaction
from accounts.models import WeChatEvent
from accounts.wechat_events.handlers import HANDLERS, Done
from config.kernel.encryption import keyed_hash
from identity_sources.models import IdentitySource
from identity_sources.wechat.push import Push

Outcome = WeChatEvent.Outcome


def receive(source: IdentitySource, push: Push, *, now: datetime) -> None:
    """Handle a verified push, and record it; a repetition changes nothing.

    Messages that people send to an account aren't events, and aren't recorded.
    """
    if push.event:
        _receive(source, push, now)


@in_transaction
def _receive(source: IdentitySource, push: Push, now: datetime) -> None:
    # The mode is part of the hash, so that a forged plain event can't block a genuine one.
    content_hash = keyed_hash("wechat event", push.mode, _content(push)).hex()
    events = WeChatEvent.objects.filter(pool=source.pool_id, identity_source=source)
    if events.filter(content_hash=content_hash).exists():
        return
    done = _do(source, push, now)
    # Saved last: if another request stored the same event first, all of this rolls back.
    WeChatEvent(
        pool_id=source.pool_id,
        identity_source=source,
        user=done.user,
        event=push.event[:64],
        mode=push.mode,
        outcome=done.outcome,
        facts=done.facts,
        content_hash=content_hash,
        sent_at=datetime.fromtimestamp(push.created_at, UTC) if push.created_at else None,
        received_at=now,
    ).save(force_insert=True)


def _do(source: IdentitySource, push: Push, now: datetime) -> Done:
    handle = HANDLERS.get(push.event)
    if handle is None:
        return Done(outcome=Outcome.UNKNOWN)
    if push.mode != "safe":
        # Its body isn't signed.
        return Done(outcome=Outcome.UNPROVEN)
    if push.app_id and push.app_id != source.app_id:
        return Done(outcome=Outcome.NOBODY)
    return handle(source, push, now)


def _content(push: Push) -> str:
    return json.dumps(sorted(push.fields.items()))

"""Revoking a signing key: it is gone at once, and with it the sessions that it signed for.

For a key that may have leaked. What it signed is refused everywhere as soon as the client has
fetched the keys again, here at once, since a token's key is found by its ``kid``.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q

from accounts.locking import in_transaction
from accounts.models import Session
from accounts.models.sessions import SessionQuerySet
from userpools.key_rotation import remove_key
from userpools.models import SigningKey, UserPool

# A request that was under way while a key retired has read the pool before, and signs with it yet.
_STILL_UNDER_WAY = timedelta(minutes=1)


def revoke_key(pool: UserPool, kid: str, *, now: datetime) -> int:
    """Remove a key and end the sessions that may hold a token of it; return how many ended.

    In an active key's place the next one signs at once, or else one made for it.

    Raises:
        UnknownKey: the pool has no key of this kid.

    """
    return in_transaction(lambda: _revoke(pool, kid, now))


def sessions_signed_by(key: SigningKey) -> SessionQuerySet:
    """Return the running sessions that may hold a token which this key signed.

    Those of applications that were signed for by its algorithm when they began are among them.
    """
    signed_now = Q(application__signing_algorithm=key.algorithm)
    signed_before = Q(application__other_algorithm_until__gt=F("auth_time"))
    sessions = Session.objects.filter(
        signed_now | signed_before, pool=key.pool_id, ended_at__isnull=True
    )
    if key.state == SigningKey.State.NEXT:
        return sessions.none()
    if key.retired_at:
        return sessions.filter(auth_time__lt=key.retired_at + _STILL_UNDER_WAY)
    return sessions


def _revoke(pool: UserPool, kid: str, now: datetime) -> int:
    key = remove_key(pool, kid, now=now)
    return sessions_signed_by(key).end(now=now, reason=Session.EndReason.SIGNING_KEY_REVOKED)

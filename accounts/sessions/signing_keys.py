"""Removing a signing key, and ending what it signed.

A revoked key may have leaked: it is removed at once, and the sessions that it signed for end. This
server refuses its tokens at once, since it finds a token's key by its ``kid``; clients refuse them
once they have fetched the keys again. A retired key is published as long as a token that it signed
may be used.
"""

from datetime import datetime, timedelta

from django.db.models import F, Max, Q

from accounts.locking import in_transaction
from accounts.models import Session
from accounts.models.sessions import SessionQuerySet
from applications.models import Application
from userpools.key_rotation import remove_key, remove_retired_keys
from userpools.models import SigningKey, UserPool

# A request that started before a key retired may still sign with it.
_STILL_UNDER_WAY = timedelta(minutes=1)
# An expired ID token is accepted as id_token_hint at a logout (OpenID Connect RP-Initiated
# Logout 1.0 §2); after this time the person is asked instead.
ID_TOKEN_HINT_LASTS = timedelta(days=30)


@in_transaction
def revoke_key(pool: UserPool, kid: str, *, now: datetime) -> int:
    """Remove a key and end the sessions that may hold a token of it; return how many ended.

    An active key is replaced at once by the next key, or by a new one if there is none.

    Raises:
        UnknownKey: the pool has no key of this kid.

    """
    key = remove_key(pool, kid, now=now)
    return sessions_signed_by(key).end(now=now, reason=Session.EndReason.SIGNING_KEY_REVOKED)


def sessions_signed_by(key: SigningKey) -> SessionQuerySet:
    """Return the running sessions that may hold a token signed by this key.

    These include sessions that began while their application still used the key's algorithm.
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


def delete_spent_keys(*, now: datetime) -> int:
    """Delete the retired keys whose last token expired 30 days ago; return how many.

    No token lives longer than the longest access token lifetime of the pool's applications.
    """
    spent = now - ID_TOKEN_HINT_LASTS
    pools = UserPool.objects.filter(
        signing_keys__state=SigningKey.State.RETIRED, signing_keys__retired_at__lt=spent
    ).distinct()
    return sum(remove_retired_keys(pool, before=spent - _longest_lifetime(pool)) for pool in pools)


def _longest_lifetime(pool: UserPool) -> timedelta:
    applications = Application.objects.filter(pool=pool)
    longest = applications.aggregate(longest=Max("access_token_lifetime"))["longest"]
    return longest or timedelta()

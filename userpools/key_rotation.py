"""Staged rotation: a key is published a day before it signs, and stays published afterwards.

::

    next ──promote──▶ active ──(the next one is promoted)──▶ retired

Every change of a pool's keys locks the pool first, so that the second of two concurrent changes
sees the first one. There is always one active key for each algorithm. The pool's
``signing_keys_version`` is incremented in the same transaction, and every process reloads the keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from config.kernel.database import one_or_none
from userpools.keys import generate_private_key, next_key
from userpools.models import SigningKey, UserPool

State = SigningKey.State

# Clients cache the published keys for an hour; a day allows for those that cache them longer.
PUBLISHED_BEFORE_IT_SIGNS = timedelta(hours=24)


class KeyRotationRefused(Exception):
    """The keys can't be changed like this; the message tells an operator what to do."""


class PromotionTooEarly(KeyRotationRefused):
    """Clients may not have the next key yet; promoting it can be forced."""


class UnknownKey(KeyRotationRefused):
    """The pool has no such key, or not any more."""


def promotable_from(key: SigningKey) -> datetime:
    """Return the time from which a next key may be promoted."""
    return key.created_at + PUBLISHED_BEFORE_IT_SIGNS


def prepare_key(pool: UserPool, algorithm: str) -> SigningKey:
    """Create the next key, and publish it.

    Raises:
        KeyRotationRefused: there is one already.

    """
    with _changed_keys(pool):
        if _next(pool, algorithm):
            raise KeyRotationRefused(
                _("%(algorithm)s has a next key already. Promote it, or revoke it first.")
                % {"algorithm": algorithm}
            )
        coming = _new(pool, algorithm)
        coming.save(force_insert=True)
    return coming


def promote_key(
    pool: UserPool, algorithm: str, *, now: datetime, force: bool = False
) -> SigningKey:
    """Sign with the next key from now on; the previous one retires, and still verifies.

    Raises:
        PromotionTooEarly: it was published less than 24 hours ago, and ``force`` isn't given.
        KeyRotationRefused: there is no next key.

    """
    with _changed_keys(pool):
        coming = _next(pool, algorithm)
        if coming is None:
            raise KeyRotationRefused(
                _("%(algorithm)s has no next key. Prepare one first.") % {"algorithm": algorithm}
            )
        if now < promotable_from(coming) and not force:
            raise PromotionTooEarly(
                _("The next key of %(algorithm)s may be promoted from %(time)s UTC.")
                % {"algorithm": algorithm, "time": f"{promotable_from(coming):%Y-%m-%d %H:%M:%S}"}
            )
        retiring = SigningKey.objects.filter(pool=pool, algorithm=algorithm, state=State.ACTIVE)
        retiring.update(state=State.RETIRED, retired_at=now)
        _activate(coming, now)
    return coming


def remove_key(pool: UserPool, kid: str, *, now: datetime) -> SigningKey:
    """Delete a key and return it: its signatures are not accepted any more.

    An active key is replaced by the next one at once, however new, or else by a new key.

    Raises:
        UnknownKey: the pool has no key of this kid.

    """
    with _changed_keys(pool):
        key = one_or_none(SigningKey.objects.filter(pool=pool, kid=kid))
        if key is None:
            raise UnknownKey(_("This pool has no signing key %(kid)s.") % {"kid": kid})
        SigningKey.objects.filter(pk=key.pk).delete()
        if key.state == State.ACTIVE:
            _activate(_next(pool, key.algorithm) or _new(pool, key.algorithm), now)
    return key


def remove_retired_keys(pool: UserPool, *, before: datetime) -> int:
    """Delete the keys that retired before this moment; return how many there were."""
    retired = SigningKey.objects.filter(pool=pool, state=State.RETIRED, retired_at__lt=before)
    if not retired.exists():
        return 0
    with _changed_keys(pool):
        return retired.delete()[0]


@contextmanager
def _changed_keys(pool: UserPool) -> Iterator[None]:
    with transaction.atomic():
        # no_key doesn't block inserts of rows that refer to the pool.
        UserPool.objects.select_for_update(no_key=True).get(pk=pool.pk)
        yield
        version = F("signing_keys_version") + 1
        UserPool.objects.filter(pk=pool.pk).update(signing_keys_version=version)


def _next(pool: UserPool, algorithm: str) -> SigningKey | None:
    return SigningKey.objects.filter(pool=pool, algorithm=algorithm, state=State.NEXT).first()


def _new(pool: UserPool, algorithm: str) -> SigningKey:
    return next_key(pool, algorithm, generate_private_key(algorithm))


def _activate(key: SigningKey, now: datetime) -> None:
    key.state = State.ACTIVE
    key.promoted_at = now
    key.save()

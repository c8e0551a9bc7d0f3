"""Finding a user pool by its identifier, and creating one with its signing keys."""

from typing import Any

from django.db import transaction
from django.http import Http404

from config.kernel.database import one_or_none
from config.kernel.identifiers import is_identifier
from config.kernel.memory import Memory
from userpools.keys import active_key, generate_private_key
from userpools.models import SigningKey, UserPool


def create_pool(**fields: Any) -> UserPool:
    """Create a pool with its signing keys, one for each algorithm.

    Raises:
        ValidationError: a field is malformed or the identifier is taken or reserved.

    """
    pool = UserPool(**fields)
    pool.full_clean()
    save_new_pool(pool)
    return pool


def save_new_pool(pool: UserPool) -> None:
    """Save a validated pool, with its signing keys."""
    with transaction.atomic():
        pool.save(force_insert=True)
        for algorithm in SigningKey.Algorithm:
            active_key(pool, algorithm, generate_private_key(algorithm)).save(force_insert=True)


@Memory
def find_pool(identifier: str) -> UserPool:
    """Return the pool with this identifier, at most 2 seconds old.

    Raises:
        Http404: there is none.

    """
    pool = one_or_none(UserPool.objects.filter(identifier=identifier))
    if pool is None:
        raise Http404
    return pool


def pool_of_issuer(unverified_issuer: str) -> UserPool | None:
    """Return the pool that has this issuer, at most 2 seconds old; None if there is none."""
    identifier = unverified_issuer.rpartition("/")[2]
    if not is_identifier(identifier):
        return None
    try:
        pool = find_pool(identifier)
    except Http404:
        return None
    return pool if pool.issuer == unverified_issuer else None

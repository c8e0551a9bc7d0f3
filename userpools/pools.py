"""Making a user pool: never without keys, for without them it can sign nothing."""

from typing import Any

from django.db import transaction

from userpools.keys import active_key, generate_private_key
from userpools.models import SigningKey, UserPool


def create_pool(**fields: Any) -> UserPool:
    """Make a pool with its signing keys, one for each algorithm.

    Raises:
        ValidationError: a field is malformed or the identifier is taken or reserved.

    """
    pool = UserPool(**fields)
    pool.full_clean()
    save_new_pool(pool)
    return pool


def save_new_pool(pool: UserPool) -> None:
    """Store a pool that was checked, with its signing keys."""
    with transaction.atomic():
        pool.save(force_insert=True)
        for algorithm in SigningKey.Algorithm:
            active_key(pool, algorithm, generate_private_key(algorithm)).save(force_insert=True)

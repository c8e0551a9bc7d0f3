"""Adding and changing a user in the console: nickname, e-mail address, password.

An address that an operator enters counts as verified: the operator vouches for it, and anyone with
access to that mailbox can bind their WeChat to the account. Phone numbers can't be entered: only
WeChat verifies them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.locking import lock_users
from accounts.models import User
from userpools.models import UserPool

CAN_BE_CHANGED = frozenset({User.Status.ACTIVE, User.Status.SUSPENDED})


class ChangedMeanwhile(Exception):
    """The user changed since the page was opened, so the change isn't allowed any more."""


@dataclass(frozen=True, kw_only=True)
class Entered:
    """The entered values; None leaves a value as it is, and an empty string removes it."""

    nickname: str | None = None
    email: str | None = None
    password: str | None = field(default=None, repr=False)


def add_user(pool: UserPool, entered: Entered, *, now: datetime) -> User:
    """Make a user who has no WeChat account yet.

    Raises:
        IntegrityError: another user of the pool has the address.

    """
    user = User(pool=pool, **_columns(entered, now))
    user.save(force_insert=True)
    return user


def change_user(user: User, entered: Entered, *, now: datetime) -> None:
    """Change the entered values, and no others, of an active or suspended user.

    Raises:
        ChangedMeanwhile: the user has been closed or merged, or would have a password without an
            address.
        IntegrityError: another user of the pool has the address.

    """
    # Before the lock, since hashing a password is slow.
    columns = _columns(entered, now)
    with transaction.atomic():
        locked = lock_users(user.pool_id, [user.pk])[user.pk]
        for name, value in columns.items():
            setattr(locked, name, value)
        if locked.status not in CAN_BE_CHANGED or (locked.password and not locked.email):
            raise ChangedMeanwhile
        locked.save(update_fields=[*columns, "updated_at"])


def _columns(entered: Entered, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if entered.nickname is not None:
        columns["nickname"] = entered.nickname
    if entered.email is not None:
        columns["email"] = entered.email
        columns["email_verified_at"] = now if entered.email else None
    if entered.password is not None:
        columns["password"] = make_password(entered.password) if entered.password else ""
    return columns

"""Writing down what happens to an account besides logins."""

from datetime import datetime
from typing import Any

from accounts.models import AccountEvent, User
from config.kernel.logs import request_id


def record(user: User, kind: AccountEvent.Kind, *, now: datetime, **fields: Any) -> None:
    """Add an event to the user's history, within the transaction that makes the change.

    ``fields`` are those of `AccountEvent` that are known: ``application``, ``identity_source``,
    ``operator`` and ``facts``, which hold no personal value.
    """
    AccountEvent.objects.create(
        pool_id=user.pool_id,
        user=user,
        kind=kind,
        request_id=request_id.get(),
        occurred_at=now,
        **fields,
    )

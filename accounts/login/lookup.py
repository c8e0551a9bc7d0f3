"""Finding the rows of a WeChat identity and locking their users, by hand: every login does it.

Two statements in one round trip. The first locks the users; the second reads linked accounts and
users as they are under the lock, so that no row is outdated.
"""

from typing import Any
from uuid import UUID

from django.db import connection

from accounts.locking import LostRace
from accounts.models import LinkedAccount, User
from config.kernel.rows import Columns, one_round_trip, uuid_parameter

_ACCOUNT = Columns(LinkedAccount, "linked")
_USER = Columns(User, "person")
_OPENID = (
    "linked.pool_id = %s AND linked.kind = 'openid' AND linked.app_id = %s AND linked.openid = %s"
)
_UNIONID = "linked.pool_id = %s AND linked.kind = 'unionid' AND linked.unionid = %s"


def _either(select: str) -> str:
    # Not one SELECT with OR: each half is a look-up in its own unique index.
    return f"{select} WHERE {_OPENID} UNION ALL {select} WHERE {_UNIONID}"


_USER_IDS = _either("SELECT linked.user_id FROM accounts_linkedaccount linked")
# NO KEY: other transactions may still insert rows with a foreign key to a locked user.
_LOCK = (
    f"SELECT person.id FROM accounts_user person WHERE person.id IN ({_USER_IDS})"  # noqa: S608 - names of columns
    " ORDER BY person.id FOR NO KEY UPDATE"
)
_READ = _either(
    f"SELECT {_ACCOUNT.sql}, {_USER.sql} FROM accounts_linkedaccount linked"  # noqa: S608
    " JOIN accounts_user person ON person.id = linked.user_id"
)


def find_locked(pool_id: UUID, app_id: str, openid: str, unionid: str) -> list[LinkedAccount]:
    """Return the pool's rows of this OpenID and UnionID, with their users, which are locked.

    An empty UnionID finds nothing.

    Raises:
        LostRace: a row moved to another user before its users were locked.

    """
    pool = uuid_parameter(pool_id)
    parameters = [pool, app_id, openid, pool, unionid]
    locks = connection.features.has_select_for_update
    with connection.cursor() as lock, connection.cursor() as read:
        with one_round_trip():
            if locks:
                lock.execute(_LOCK, parameters)
            read.execute(_READ, parameters)
        rows = [_row(values) for values in read.fetchall()]
        locked = {key for (key,) in lock.fetchall()} if locks else {row.user_id for row in rows}
    if not locked.issuperset(row.user_id for row in rows):
        raise LostRace
    return rows


def _row(values: tuple[Any, ...]) -> LinkedAccount:
    account = _ACCOUNT.row(values[: _ACCOUNT.count])
    account.user = _USER.row(values[_ACCOUNT.count :])
    return account

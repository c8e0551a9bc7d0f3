"""The rows of one WeChat identity: its linked accounts, and the hashes that block it.

Linked accounts are found, completed and kept up to date. When a suspended user's data is erased,
hashes of their WeChat identities stay, so that these remain blocked.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.locking import LostRace
from accounts.login.exchange import WeChatIdentity
from accounts.models import BlockedIdentity, LinkedAccount, User
from config.kernel.encryption import keyed_hashes
from config.kernel.primary_keys import new_id
from config.kernel.rows import Columns, insert, one_round_trip, uuid_parameter
from identity_sources.models import IdentitySource

Kind = LinkedAccount.Kind
_BLOCKED = "blocked identity"
SEEN_AGAIN = timedelta(hours=1)
"""``last_seen_at`` is as old as this at most"""

# The look-up of every login, by hand. Two statements: the first locks the users; the second reads
# linked accounts and users as they are under the lock, so that no row is outdated.
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


@dataclass(frozen=True, kw_only=True)
class FoundIdentity:
    """The pool's rows of an identity: its OpenID row, its UnionID row, both or neither.

    The users of both rows are locked until the transaction ends.
    """

    source: IdentitySource
    identity: WeChatIdentity
    rows: list[LinkedAccount]
    """the existing rows, the OpenID's first"""

    @property
    def by_openid(self) -> LinkedAccount | None:
        """The OpenID row."""
        return next((row for row in self.rows if row.kind == Kind.OPENID), None)

    @property
    def by_unionid(self) -> LinkedAccount | None:
        """The UnionID row."""
        return next((row for row in self.rows if row.kind == Kind.UNIONID), None)

    @property
    def is_split(self) -> bool:
        """Whether OpenID and UnionID belong to two users."""
        return len({row.user_id for row in self.rows}) > 1

    @property
    def missing(self) -> list[LinkedAccount.Kind]:
        """The kinds of rows that don't exist yet, in the order in which they are always added."""
        openid = [] if self.by_openid else [Kind.OPENID]
        unionid = [Kind.UNIONID] if self.identity.unionid and not self.by_unionid else []
        return openid + unionid

    def is_blocked(self) -> bool:
        """Return whether a missing part of the identity belonged to a suspended user.

        Only missing parts are looked up, so a known person costs no query.
        """
        parts = [
            _parts(kind, self.source.app_id, self.identity.openid, self.identity.unionid or "")
            for kind in self.missing
        ]
        if not parts:
            return False
        hashes = [value.hex() for part in parts for value in keyed_hashes(_BLOCKED, *part)]
        return _is_any_blocked(self.source.pool_id, hashes)

    def link_to(self, user: User, *, now: datetime) -> None:
        """Add the missing rows to the user, and note that the others were seen.

        A UnionID row of another user, which is a conflict, stays as it is.

        Raises:
            IntegrityError: another transaction added the same row first.

        """
        own = self._own(user)
        # Insert before updating: a transaction that inserts a row which this one has updated waits
        # for it, and both could wait for each other.
        insert(*self.new_rows(user, now=now))
        self._touch(own, now)
        for row in own[1:]:
            group = own[0].wechat_identity
            if row.wechat_identity != group:
                # Only this login shows that both are one WeChat account.
                same = LinkedAccount.objects.filter(pool=self.source.pool_id, user=user)
                same.filter(wechat_identity=row.wechat_identity).update(wechat_identity=group)

    def new_rows(self, user: User, *, now: datetime) -> list[LinkedAccount]:
        """Return the missing rows, for this user; they aren't stored."""
        own = self._own(user)
        group = own[0].wechat_identity if own else new_id()
        return [self._row(user, kind, group, now) for kind in self.missing]

    def has_another_openid(self, user: User) -> bool:
        """Return whether the user already has a different OpenID of this AppID.

        The same OpenID may have been added since the rows were found; adding it again then fails.
        """
        openids = LinkedAccount.objects.exclude(openid=self.identity.openid)
        return openids.filter(
            pool=self.source.pool_id, user=user, kind=Kind.OPENID, app_id=self.source.app_id
        ).exists()

    def has_another_unionid(self, user: User) -> bool:
        """Return whether the identity has a UnionID and the user has a different one."""
        if not self.identity.unionid:
            return False
        unionids = LinkedAccount.objects.filter(
            pool=self.source.pool_id, user=user, kind=Kind.UNIONID
        )
        return unionids.exclude(unionid=self.identity.unionid).exists()

    def _own(self, user: User) -> list[LinkedAccount]:
        return [row for row in self.rows if row.user_id == user.pk]

    def _touch(self, own: list[LinkedAccount], now: datetime) -> None:
        # Not at each login: a row that nothing changed costs nothing.
        if all(self._is_current(row, now) for row in own):
            return
        seen: dict[str, Any] = {"last_seen_at": now}
        if self.identity.unionid:
            seen["unionid"] = self.identity.unionid
        LinkedAccount.objects.filter(pk__in=[row.pk for row in own]).update(**seen)

    def _is_current(self, row: LinkedAccount, now: datetime) -> bool:
        unionid = self.identity.unionid or row.unionid
        return row.unionid == unionid and now - row.last_seen_at <= SEEN_AGAIN

    def _row(
        self, user: User, kind: LinkedAccount.Kind, group: UUID, now: datetime
    ) -> LinkedAccount:
        is_openid = kind == Kind.OPENID
        return LinkedAccount(
            pool_id=self.source.pool_id,
            user=user,
            wechat_identity=group,
            kind=kind,
            app_id=self.source.app_id if is_openid else "",
            openid=self.identity.openid if is_openid else "",
            unionid=self.identity.unionid or "",
            first_seen_at=now,
            last_seen_at=now,
        )


def find_identity(source: IdentitySource, identity: WeChatIdentity) -> FoundIdentity:
    """Find the rows of this identity in the source's pool, and lock their users.

    Raises:
        LostRace: a row moved to another user meanwhile.

    """
    rows = find_locked(source.pool_id, source.app_id, identity.openid, identity.unionid or "")
    return FoundIdentity(source=source, identity=identity, rows=rows)


def block(user: User, accounts: Iterable[LinkedAccount], *, now: datetime) -> None:
    """Block these accounts of a suspended user, which are about to be deleted.

    A hash of each is stored, made with a key of ENCRYPTION_KEYS. A lookup tries all of these keys,
    so an account stays blocked as long as the key of its hash is configured.
    """
    BlockedIdentity.objects.bulk_create(
        [
            BlockedIdentity(
                pool_id=user.pool_id, user=user, identity_hash=_hash_of(account), created_at=now
            )
            for account in accounts
        ],
        ignore_conflicts=True,
    )


def unblock(user_id: UUID) -> None:
    """Unblock the accounts of a user whose suspension was lifted."""
    BlockedIdentity.objects.filter(user=user_id).delete()


def _hash_of(account: LinkedAccount) -> str:
    parts = _parts(account.kind, account.app_id, account.openid, account.unionid)
    return keyed_hashes(_BLOCKED, *parts)[0].hex()


def _parts(kind: str, app_id: str, openid: str, unionid: str) -> tuple[str, str, str]:
    return (kind, app_id, openid) if kind == Kind.OPENID else (kind, "", unionid)


def _is_any_blocked(pool_id: UUID, hashes: list[str]) -> bool:
    names = ", ".join(["%s"] * len(hashes))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM accounts_blockedidentity"  # noqa: S608 - placeholders
            f" WHERE pool_id = %s AND identity_hash IN ({names}) LIMIT 1",
            [uuid_parameter(pool_id), *hashes],
        )
        return cursor.fetchone() is not None


def find_locked(pool_id: UUID, app_id: str, openid: str, unionid: str) -> list[LinkedAccount]:
    """Return the pool's rows of this OpenID and UnionID, with their users, which are locked.

    The OpenID's row comes first. An empty UnionID finds nothing.

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
        rows = sorted(_rows_of(read.fetchall()), key=lambda row: row.kind)
        locked = {key for (key,) in lock.fetchall()} if locks else {row.user_id for row in rows}
    if not locked.issuperset(row.user_id for row in rows):
        raise LostRace
    return rows


def _rows_of(found: Iterable[tuple[Any, ...]]) -> Iterator[LinkedAccount]:
    users: dict[UUID, User] = {}
    for values in found:
        account = _ACCOUNT.row(values[: _ACCOUNT.count])
        if account.user_id not in users:
            users[account.user_id] = _USER.row(values[_ACCOUNT.count :])
        account.user = users[account.user_id]
        yield account

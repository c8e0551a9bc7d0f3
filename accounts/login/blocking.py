"""WeChat accounts that stay refused after their suspended user's data was erased.

What remains of each identity is a hash under a key of ENCRYPTION_KEYS. It is looked for under all
of them, so it goes on refusing as long as the key that made it is there.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.login.identities import FoundIdentity
from accounts.models import BlockedIdentity, LinkedAccount, User
from config.kernel.encryption import keyed_hashes

_PURPOSE = "blocked identity"
Kind = LinkedAccount.Kind


def is_blocked(found: FoundIdentity) -> bool:
    """Tell whether a part of the identity that has no row was a suspended user's.

    Asks the database only about what is missing, so a person who is known costs nothing.
    """
    parts = [
        _parts(kind, found.source.app_id, found.identity.openid, found.identity.unionid or "")
        for kind in found.missing
    ]
    if not parts:
        return False
    hashes = [value.hex() for part in parts for value in keyed_hashes(_PURPOSE, *part)]
    blocked = BlockedIdentity.objects.filter(pool=found.source.pool_id, identity_hash__in=hashes)
    return blocked.exists()


def block(user: User, accounts: Iterable[LinkedAccount], *, now: datetime) -> None:
    """Keep refusing these accounts of a suspended user, which are about to be deleted."""
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
    """Let the accounts of a user in again, whose suspension was lifted."""
    BlockedIdentity.objects.filter(user=user_id).delete()


def _hash_of(account: LinkedAccount) -> str:
    parts = _parts(account.kind, account.app_id, account.openid, account.unionid)
    return keyed_hashes(_PURPOSE, *parts)[0].hex()


def _parts(kind: str, app_id: str, openid: str, unionid: str) -> tuple[str, str, str]:
    return (kind, app_id, openid) if kind == Kind.OPENID else (kind, "", unionid)

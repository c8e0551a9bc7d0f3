"""The linked-account rows of one WeChat identity: found, completed and kept up to date."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.exchange import WeChatIdentity
from accounts.models import LinkedAccount, User
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class Identities:
    """What the pool knows of an identity: its OpenID row, its UnionID row, both or neither."""

    source: IdentitySource
    identity: WeChatIdentity
    by_openid: LinkedAccount | None
    by_unionid: LinkedAccount | None

    def add_missing(self, user: User, *, now: datetime) -> bool:
        """Give the user those rows of the identity that nobody has; tell whether one was missing.

        Raises:
            IntegrityError: somebody else was faster, with the same row.

        """
        missing = []
        if not self.by_openid:
            missing.append(self._row(user, LinkedAccount.Kind.OPENID, now))
        if self.identity.unionid and not self.by_unionid:
            missing.append(self._row(user, LinkedAccount.Kind.UNIONID, now))
        for row in missing:
            row.save(force_insert=True)
        return bool(missing)

    def touch(self, *, now: datetime) -> None:
        """Note on the user's rows when they were seen, and with which UnionID.

        A UnionID row of another user, with which the OpenID is in conflict, stays as it is.
        """
        user_id = self.by_openid.user_id if self.by_openid else None
        found = (self.by_openid, self.by_unionid)
        rows = [row.pk for row in found if row and row.user_id == user_id]
        seen: dict[str, Any] = {"last_seen_at": now}
        if self.identity.unionid:
            seen["unionid"] = self.identity.unionid
        LinkedAccount.objects.filter(pk__in=rows).update(**seen)

    def has_another_openid(self, user: User) -> bool:
        """Tell whether the user already has an OpenID of this AppID other than this one.

        This very one may have come since the rows were found; it is then met when it is added.
        """
        openids = LinkedAccount.objects.exclude(openid=self.identity.openid)
        return openids.filter(
            pool=self.source.pool_id,
            user=user,
            kind=LinkedAccount.Kind.OPENID,
            app_id=self.source.app_id,
        ).exists()

    def _row(self, user: User, kind: LinkedAccount.Kind, now: datetime) -> LinkedAccount:
        is_openid = kind == LinkedAccount.Kind.OPENID
        return LinkedAccount(
            pool_id=self.source.pool_id,
            user=user,
            kind=kind,
            app_id=self.source.app_id if is_openid else "",
            openid=self.identity.openid if is_openid else "",
            unionid=self.identity.unionid or "",
            first_seen_at=now,
            last_seen_at=now,
        )


def find_identities(source: IdentitySource, identity: WeChatIdentity) -> Identities:
    """Find and lock the rows of this identity in the source's pool, with users, by one query."""
    kinds = LinkedAccount.Kind
    wanted = Q(kind=kinds.OPENID, app_id=source.app_id, openid=identity.openid)
    if identity.unionid:
        wanted |= Q(kind=kinds.UNIONID, unionid=identity.unionid)
    # Locked in one order: otherwise simultaneous logins of a person, each of which updates both
    # rows, wait for each other in a circle.
    rows = (
        LinkedAccount.objects.select_related("user")
        .filter(wanted, pool=source.pool_id)
        .order_by("kind")
        .select_for_update(of=("self",), no_key=True)
    )
    by_kind = {row.kind: row for row in rows}
    return Identities(
        source=source,
        identity=identity,
        by_openid=by_kind.get(kinds.OPENID),
        by_unionid=by_kind.get(kinds.UNIONID),
    )

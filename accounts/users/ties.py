"""What ties users to WeChat, told with the names of the sources that it came from."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import LinkedAccount, User
from accounts.users.linking import WeChatIdentityOfUser, identities_of
from identity_sources.models import IdentitySource


@dataclass(frozen=True, kw_only=True)
class KnownOpenID:
    """An OpenID and the display name of its source, empty where the pool has none of its AppID."""

    account: LinkedAccount
    source: str


@dataclass(frozen=True, kw_only=True)
class Tie:
    """One WeChat identity of a user's: its UnionIDs and its OpenIDs."""

    unionids: list[LinkedAccount]
    openids: list[KnownOpenID]

    @property
    def accounts(self) -> int:
        """How many linked accounts it consists of."""
        return len(self.unionids) + len(self.openids)


def ties_of(user: User) -> list[Tie]:
    """Return the user's WeChat identities, the one that was linked first first."""
    identities = identities_of(user)
    names = _names(user, identities)
    return [
        Tie(
            unionids=[row for row in item.accounts if row.kind == LinkedAccount.Kind.UNIONID],
            openids=[
                KnownOpenID(account=row, source=names.get(row.app_id, "")) for row in item.openids
            ],
        )
        for item in identities
    ]


def _names(user: User, identities: Iterable[WeChatIdentityOfUser]) -> dict[str, str]:
    app_ids = {row.app_id for item in identities for row in item.openids}
    # An AppID occurs once among the sources in use; of archived ones the newest name is right.
    sources = IdentitySource.objects.filter(pool=user.pool_id, app_id__in=app_ids)
    return dict(sources.order_by("created_at").values_list("app_id", "display_name"))

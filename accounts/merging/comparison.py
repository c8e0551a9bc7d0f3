"""Two users side by side, and what merging them would do: facts only, without texts."""

from dataclasses import dataclass

from accounts.merging.conflicts import in_order
from accounts.merging.merge import DETAILS, FORBIDDING, Obstacle, obstacles
from accounts.models import LinkedIdentity, LoginEvent, Session, User, linked_identities

LOGINS_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of two users, with the facts by which an operator decides whether they are one person."""

    user: User
    identities: list[LinkedIdentity]
    logins: list[LoginEvent]
    """the latest, newest first"""
    running_sessions: int

    @property
    def name(self) -> str:
        """The nickname, or the ``sub`` if there is none."""
        return self.user.display_name

    @property
    def linked_accounts(self) -> int:
        """How many linked accounts the user has."""
        return sum(len(identity.accounts) for identity in self.identities)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a merge of the two would do, by the rules of accounts/merging/merge.py."""

    survivor: Side
    merged: Side
    moving: list[str]
    """details that only the merged user has; unverified ones don't count"""
    yielding: list[str]
    """details that both have, with different values: those of the merged user are dropped"""
    obstacles: list[Obstacle]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, the survivor first."""
        return self.survivor, self.merged

    @property
    def can_merge(self) -> bool:
        """Whether an operator may merge them, despite other obstacles."""
        return not FORBIDDING & set(self.obstacles)


def compare(first: User, second: User) -> Comparison:
    """Compare two users of a pool, without locks; the merge itself checks them again."""
    survivor, merged = in_order(first, second)
    theirs, own = _known(merged), _known(survivor)
    return Comparison(
        survivor=side_of(survivor),
        merged=side_of(merged),
        moving=[name for name in theirs if name not in own],
        yielding=[name for name in theirs if own.get(name, theirs[name]) != theirs[name]],
        obstacles=obstacles(survivor, merged),
    )


def side_of(user: User) -> Side:
    """Return the facts about one user."""
    logins = LoginEvent.objects.filter(pool=user.pool_id, user=user)
    latest = logins.select_related("application").defer("steps").order_by("-occurred_at", "-pk")
    sessions = Session.objects.filter(pool=user.pool_id, user=user, ended_at__isnull=True)
    return Side(
        user=user,
        identities=linked_identities(user, with_sources=True),
        logins=list(latest[:LOGINS_SHOWN]),
        running_sessions=sessions.count(),
    )


def _known(user: User) -> dict[str, str]:
    return {
        detail.value: getattr(user, detail.value) for detail in DETAILS if detail.is_known(user)
    }

"""A merge in an operator's words: what it will do, what prevents it, and what undoing does."""

from datetime import datetime
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.merging.comparison import Comparison
from accounts.merging.merge import FORBIDDING, Obstacle
from accounts.models import Merge, User
from accounts.words.account_history import details_in_words, listed


class ObstacleInWords(NamedTuple):
    """An obstacle to a merge; ``forbids`` if an operator can't overrule it."""

    meaning: str
    remedy: str
    forbids: bool


_OBSTACLES = {
    Obstacle.KEPT_APART: (
        gettext_lazy("The two are kept apart: somebody said so, or undid their merge."),
        gettext_lazy("Merge them only if that was a mistake."),
    ),
    Obstacle.TWO_UNIONIDS: (
        gettext_lazy("They have two UnionIDs, which usually means two WeChat accounts."),
        gettext_lazy(
            "Merge them only if you know that both are one person's. An app that moved to another "
            "Open Platform account gives its people a new UnionID, too."
        ),
    ),
    Obstacle.TWO_PASSWORDS: (
        gettext_lazy("Both have a password."),
        gettext_lazy("The older user's stays. Tell the person which one that is."),
    ),
    Obstacle.TWO_PHONE_NUMBERS: (
        gettext_lazy("Both have a phone number that WeChat verified."),
        gettext_lazy("Ask the person whether both are theirs. The older user's stays."),
    ),
    Obstacle.TWO_OPENIDS: (
        gettext_lazy("They have two OpenIDs of one AppID, so they are two WeChat accounts."),
        gettext_lazy(
            "One user can't hold both. If one person has two WeChat accounts, they unlink one of "
            "them in the application first; otherwise keep the two apart."
        ),
    ),
    Obstacle.SAME_USER: (
        gettext_lazy("That is one and the same user."),
        gettext_lazy("Name another one."),
    ),
    Obstacle.NOT_ACTIVE: (
        gettext_lazy("One of them is suspended, closed or merged."),
        gettext_lazy(
            "Lift the suspension or reopen the account first. Whoever is merged is already "
            "somebody else."
        ),
    ),
}


def obstacles_in_words(obstacles: list[Obstacle]) -> list[ObstacleInWords]:
    """Return the obstacles to a merge, each with what an operator can do about it."""
    return [
        ObstacleInWords(str(meaning), str(remedy), obstacle in FORBIDDING)
        for obstacle in obstacles
        for meaning, remedy in [_OBSTACLES[obstacle]]
    ]


def plan_in_words(comparison: Comparison) -> list[str]:
    """Return what the merge will do, in one sentence per effect."""
    survivor, merged = comparison.survivor, comparison.merged
    names = {"survivor": survivor.name, "merged": merged.name}
    since = date_format(survivor.user.created_at, "DATETIME_FORMAT")
    sentences = [
        _("%(survivor)s stays: the older of the two, a user since %(since)s.")
        % {**names, "since": since},
        _linked_accounts(comparison, names),
    ]
    if comparison.moving:
        sentences.append(
            _("%(survivor)s gets what they have none of: %(details)s.")
            % {**names, "details": details_in_words(comparison.moving)}
        )
    if comparison.yielding:
        sentences.append(
            _("%(survivor)s keeps their own, and %(merged)s's is given up: %(details)s.")
            % {**names, "details": details_in_words(comparison.yielding)}
        )
    return [*sentences, _sessions(comparison, names), *_afterwards(comparison, names)]


def _linked_accounts(comparison: Comparison, names: dict[str, str]) -> str:
    count = comparison.merged.linked_accounts
    if not count:
        return _("%(merged)s has no linked account that could move.") % names
    rows = [row for identity in comparison.merged.identities for row in identity.openids]
    kinds = [row.source_name or row.app_id for row in rows]
    kinds += ["UnionID"] * (count - len(rows))
    sentence = ngettext(
        "%(count)s linked account of %(merged)s moves to %(survivor)s: %(kinds)s.",
        "%(count)s linked accounts of %(merged)s move to %(survivor)s: %(kinds)s.",
        count,
    )
    return sentence % {**names, "count": count, "kinds": listed(kinds)}


def _sessions(comparison: Comparison, names: dict[str, str]) -> str:
    count = comparison.merged.running_sessions
    if not count:
        return _("No session ends: %(merged)s is logged in nowhere.") % names
    sentence = ngettext(
        "%(count)s running session of %(merged)s ends now. Sessions of %(survivor)s go on.",
        "%(count)s running sessions of %(merged)s end now. Sessions of %(survivor)s go on.",
        count,
    )
    return sentence % {**names, "count": count}


def _afterwards(comparison: Comparison, names: dict[str, str]) -> list[str]:
    subs = {"old": comparison.merged.user.sub, "new": comparison.survivor.user.sub}
    return [
        _(
            "Applications that know the person by the sub %(old)s are given %(new)s from the next "
            "login on. The old sub stays in the list of users, with a link to %(survivor)s."
        )
        % {**names, **subs},
        _("For %(days)s days the merge can be undone.") % {"days": Merge.UNDO_WITHIN.days},
    ]


def undo_in_words(merge: Merge) -> list[str]:
    """Return what undoing a merge will do."""
    names = {"survivor": merge.survivor.display_name, "merged": merge.merged.display_name}
    return [
        _("%(merged)s is a user again, with the linked accounts and contact details of before.")
        % names,
        _(
            "%(survivor)s keeps what was theirs. Their sessions since the merge end, since nobody "
            "knows which of the two began them."
        )
        % names,
        _(
            "Phone numbers that were proven and WeChat accounts that were linked since the merge "
            "are nobody's: the person gives them again."
        ),
        _("The two are kept apart: no login merges them again.") % names,
    ]


def why_not_undone(merge: Merge, *, now: datetime) -> str:
    """Return why a merge can't be undone; empty if it can be."""
    if merge.undone_at:
        return _("It was undone.")
    if now >= merge.undo_ends_at:
        return _("It is more than %(days)s days ago.") % {"days": Merge.UNDO_WITHIN.days}
    if merge.survivor.erased_at:
        return _("The personal data was erased.")
    if merge.merged.merged_into_id != merge.survivor_id:
        return _("%(survivor)s was merged into somebody since: undo that merge first.") % {
            "survivor": merge.survivor.display_name
        }
    if merge.survivor.status != User.Status.ACTIVE:
        return _("%(survivor)s is suspended or closed. Let them in again first.") % {
            "survivor": merge.survivor.display_name
        }
    return ""

"""Why a login found its user or was refused: one sentence for a list, a headline or a step."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from accounts.models import LoginEvent
from accounts.words.explanations import REFUSALS_THAT_ASK, Explanation, explain_refusal

Conflict, Decision = LoginEvent.Conflict, LoginEvent.Decision


def headline(event: LoginEvent) -> str:
    """Return the outcome in one sentence."""
    reason = reason_of(event)
    is_final = event.error not in REFUSALS_THAT_ASK
    if event.outcome == LoginEvent.Outcome.REFUSED and is_final:
        return _("Refused: %(reason)s") % {"reason": reason}
    return reason


def reason_of(event: LoginEvent) -> str:
    """Return why the login found this user, or why it was refused."""
    if event.outcome == LoginEvent.Outcome.REFUSED:
        return meaning_of(event.error)
    sentence = decision_in_words(event.decision)
    # Not inside the f-string, from which texts aren't collected for translation.
    repeated = _("Repeated within a minute.")
    return f"{sentence} {repeated}" if event.replayed else sentence


def meaning_of(error: str) -> str:
    """Return the meaning of an error code."""
    return explain_refusal(error).meaning


def decision_in_words(decision: str) -> str:
    """Return how the user was found; empty for an unknown decision."""
    return _DECISIONS.get(decision, lambda: "")()


def conflict_in_words(conflict: str) -> Explanation:
    """Return a conflict and what an operator can do about it; empty for an unknown conflict."""
    return _CONFLICTS.get(conflict, lambda: Explanation("", ""))()


_DECISIONS: dict[str, Callable[[], str]] = {
    Decision.CREATED: lambda: _("A new user: nobody had this WeChat account."),
    Decision.MATCHED_OPENID: lambda: _("Known by the OpenID."),
    Decision.MATCHED_UNIONID: lambda: _("Known by the UnionID; the OpenID was added."),
    Decision.MATCHED_PHONE: lambda: _(
        "Known by the phone number that WeChat proved; this WeChat account was added."
    ),
    Decision.MERGED: lambda: _(
        "Known by OpenID and UnionID, which were two users': they were merged into the older one."
    ),
    Decision.BOUND: lambda: _(
        "The person proved whose account it is, and this WeChat account was added."
    ),
    Decision.SINGLE_SIGN_ON: lambda: _("Signed on in this browser already."),
}

_CONFLICTS: dict[str, Callable[[], Explanation]] = {
    Conflict.UNIONID_OF_ANOTHER_USER: lambda: Explanation(
        _("The UnionID belongs to another user; nothing was merged."),
        _("Decide under Review whether the two are one person."),
    ),
    Conflict.UNIONID_CHANGED: lambda: Explanation(
        _("WeChat gave another UnionID than before; both are the user's now."),
        _(
            "Nothing needs doing, if the app was bound to another Open Platform account. "
            "Otherwise look at the user's linked accounts."
        ),
    ),
}

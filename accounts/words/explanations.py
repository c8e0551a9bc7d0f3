"""What each refusal of a login means and what an operator can do about it.

Developers read ``error_description`` in the answer; operators read these, in their language.
"""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy


class Explanation(NamedTuple):
    """A refusal in words: its meaning and the operator's next step."""

    meaning: str
    remedy: str


REFUSALS_THAT_ASK = frozenset({"account_binding_required", "phone_code_required"})
"""Refusals after which the login continues with a question to the person."""

_NOTHING_TO_DO = gettext_lazy("Nothing needs doing: the person tries again.")
_SWITCH_ON = gettext_lazy("Switch it on if people are to log in.")

_EXPLANATIONS: dict[str, tuple[Any, Any]] = {
    "invalid_request": (
        gettext_lazy("The request couldn't be understood."),
        gettext_lazy("The description names the field: mend the program that sent it."),
    ),
    "invalid_scope": (
        gettext_lazy("The request asked for a scope that doesn't exist."),
        gettext_lazy("Mend the scope that the program sends."),
    ),
    "invalid_client": (
        gettext_lazy("The application didn't prove itself: its secret was wrong or missing."),
        gettext_lazy("Compare the program's client secret, or make a new one."),
    ),
    "invalid_code": (
        gettext_lazy("WeChat didn't accept the code."),
        gettext_lazy(
            "Single cases need nothing. If every login fails, the mini program was built with "
            "another AppID than the identity source has."
        ),
    ),
    "code_already_used": (gettext_lazy("The code had been used before."), _NOTHING_TO_DO),
    "application_disabled": (gettext_lazy("The application is switched off."), _SWITCH_ON),
    "identity_source_disabled": (gettext_lazy("The identity source is switched off."), _SWITCH_ON),
    "login_method_disabled": (
        gettext_lazy("The application doesn't offer this identity source."),
        gettext_lazy("Switch it on in the application's login control."),
    ),
    "wechat_user_blocked": (
        gettext_lazy("WeChat's risk control doesn't let this person log in."),
        gettext_lazy("Only WeChat can lift that. Offer the person another way in."),
    ),
    "registration_closed": (
        gettext_lazy("The person has no account, and the source makes no new ones."),
        gettext_lazy("Open the source's registration if new people are to come in."),
    ),
    "user_suspended": (
        gettext_lazy("The user is suspended."),
        gettext_lazy(
            "Lift the suspension on the user's page, if there is no reason for it any more."
        ),
    ),
    "account_closed": (
        gettext_lazy("The account was closed."),
        gettext_lazy("Nothing needs doing."),
    ),
    "identity_conflict": (
        gettext_lazy("The UnionID's user already has another OpenID of this AppID."),
        gettext_lazy(
            "That can't be the same WeChat account. Its page under Review says what it may be."
        ),
    ),
    "account_binding_required": (
        gettext_lazy("Nobody has this WeChat account yet: the application asks the person."),
        gettext_lazy(
            "Nothing needs doing: the person chooses between an account of theirs and a new one. "
            "If the application doesn't ask, it has to learn it from the answer's binding_ticket."
        ),
    ),
    "phone_code_required": (
        gettext_lazy("Nobody has this WeChat account yet: the phone number tells whose it is."),
        gettext_lazy(
            "Nothing needs doing: the person presses the phone number button. If the application "
            "doesn't show it, it has to learn to send phone_code."
        ),
    ),
    "invalid_binding_ticket": (
        gettext_lazy("The binding ticket was wrong, used, too old, or used up by wrong proofs."),
        gettext_lazy(
            "Single cases need nothing: the person logs in again. If it comes often, somebody may "
            "be guessing, or the application sends a ticket twice."
        ),
    ),
    "invalid_proof": (
        gettext_lazy("The person didn't prove that the account is theirs."),
        gettext_lazy(
            "Look whether the account has the e-mail address or phone number that the person "
            "names. Many of these from one place may be somebody who guesses."
        ),
    ),
    "already_linked": (
        gettext_lazy("The account has another WeChat account of this AppID already."),
        gettext_lazy(
            "The person unlinks the other one first, or binds to another account of theirs."
        ),
    ),
    "too_many_requests": (
        gettext_lazy("A limit was reached: too many refused attempts, or WeChat's own."),
        gettext_lazy("Wait a minute. If it comes back, see who sends so much."),
    ),
    "identity_source_misconfigured": (
        gettext_lazy("WeChat refuses the identity source's settings."),
        gettext_lazy("Do what stands beside WeChat's errcode, then test the source's connection."),
    ),
    "wechat_unavailable": (
        gettext_lazy("WeChat couldn't be asked."),
        gettext_lazy("If it lasts, check that this server reaches WeChat."),
    ),
    "service_unavailable": (
        gettext_lazy("The database or the cache was away."),
        gettext_lazy("Look at /readyz and at the log, by the request id."),
    ),
    "refresh_token_reused": (
        gettext_lazy("A refresh token was used twice, so its session was ended."),
        gettext_lazy("Somebody may have stolen it, or the program sends it twice."),
    ),
    "authorization_code_reused": (
        gettext_lazy("An authorization code was used twice, so its session was ended."),
        gettext_lazy("Somebody may have stolen it, or the program sends it twice."),
    ),
    "snapshot_user": (
        gettext_lazy("WeChat showed the person a read-only page, with a made-up user."),
        gettext_lazy("Nothing needs doing: the person taps 使用完整服务 there and tries again."),
    ),
    "server_error": (
        gettext_lazy("Something went wrong on this server."),
        gettext_lazy("Look at the log, by the request id."),
    ),
}
_UNKNOWN = (
    gettext_lazy("The login was refused."),
    gettext_lazy("Look at the error's description."),
)


def explain_refusal(error: str) -> Explanation:
    """Return the explanation of an error code, a general one for an unknown code."""
    meaning, remedy = _EXPLANATIONS.get(error, _UNKNOWN)
    return Explanation(str(meaning), str(remedy))

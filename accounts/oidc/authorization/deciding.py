"""Whether to answer now, or log the person in or ask them: OIDC Core §3.1.2.3, §3.1.2.4."""

from datetime import datetime
from enum import Enum

from accounts.models import BrowserSession, User
from accounts.oidc.authorization.checking import CheckedRequest
from accounts.oidc.authorization.consents import has_consented
from accounts.sessions.browsers import may_enter
from applications.rules import ApplicationType


class NextPage(Enum):
    """The next step of an authorization request."""

    LOGIN = "login"
    CONSENT = "consent"
    ANSWER = "answer"


def next_step(
    checked: CheckedRequest, browser_session: BrowserSession | None, *, now: datetime
) -> NextPage:
    """Return the first step of a new authorization request.

    Raises:
        Refused: a page would be needed, and the application forbids it (prompt=none).

    """
    if browser_session is None or not _is_enough(checked, browser_session, now):
        step = NextPage.LOGIN
    else:
        step = after_login(checked, browser_session.user)
        if step == NextPage.ANSWER and _may_be_an_impostor(checked):
            step = NextPage.CONSENT
    if "none" not in checked.prompts or step == NextPage.ANSWER:
        return step
    if step == NextPage.LOGIN:
        raise checked.refusal("login_required", "The person has to log in.")
    raise checked.refusal("consent_required", "The person has to give consent.")


def after_login(checked: CheckedRequest, user: User) -> NextPage:
    """Return the step after the login, or after it was found that none is needed.

    Raises:
        Refused: the id_token_hint names another user.

    """
    if checked.hinted_sub not in {"", user.sub}:
        raise checked.refusal(
            "login_required", "Somebody else is logged in than id_token_hint names."
        )
    is_asked = "consent" in checked.prompts or (
        checked.application.requires_consent
        and not has_consented(user, checked.application, checked.scope)
    )
    return NextPage.CONSENT if is_asked else NextPage.ANSWER


def answers_anybody(checked: CheckedRequest) -> bool:
    """Tell whether `after_login` is to answer, whoever logs in."""
    is_asked = "consent" in checked.prompts or checked.application.requires_consent
    return not checked.hinted_sub and not is_asked


def _may_be_an_impostor(checked: CheckedRequest) -> bool:
    # Any program on the device can listen on loopback or register the scheme, so the person must
    # see each request (RFC 8252 §8.6).
    is_claimed = checked.to.redirect_uri.startswith("https://")
    return checked.application.type == ApplicationType.NATIVE and not is_claimed


def _is_enough(checked: CheckedRequest, browser_session: BrowserSession, now: datetime) -> bool:
    if checked.prompts & {"login", "select_account"}:
        return False
    if checked.max_age is not None and now - browser_session.auth_time >= checked.max_age:
        return False
    if checked.hinted_sub not in {"", browser_session.user.sub}:
        return False
    return may_enter(browser_session, checked.application)

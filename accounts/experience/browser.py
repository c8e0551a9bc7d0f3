"""An experience login through a browser: to WeChat and back, as from the hosted login page.

It uses the code of that page (accounts/login/by_browser.py), as a test: no browser session begins,
no tokens are made, and the session ends as soon as it begins.

The ``state`` needs no row: only this server can make it, it is valid only in the visitor's session,
and WeChat accepts each code once.
"""

from contextlib import AbstractContextManager

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language

from accounts.experience.page import Attempt
from accounts.experience.visitors import Visitor
from accounts.locking import in_transaction
from accounts.login.arrival import Arrival, attempt, choose_method
from accounts.login.by_browser import arrive_by_redirect
from accounts.login.rules import begin
from accounts.login.throttles import LoginThrottle
from accounts.login.trail import Trail
from accounts.models import LoginEvent, Session
from accounts.sessions.scopes import understood_scopes
from applications.models import LoginMethod
from applications.offers import Offer
from applications.rules import Way
from config.kernel.encryption import keyed_hash
from config.kernel.errors import DomainError
from identity_sources.gateway import qrconnect_url


def wechat_url(visitor: Visitor, method: LoginMethod) -> str:
    """Return the address of WeChat's page, which redirects back to the experience page."""
    return qrconnect_url(
        method.identity_source,
        redirect_uri=f"{settings.PUBLIC_URL}{visitor.address('/callback')}",
        state=_state(visitor, method),
        language=get_language() or settings.LANGUAGE_CODE,
    )


def method_behind(
    unverified_state: str, visitor: Visitor, methods: list[LoginMethod]
) -> LoginMethod | None:
    """Return the login method of a ``state``; None if it isn't one of this visitor."""
    return next(
        (
            method
            for method in methods
            if constant_time_compare(unverified_state, _state(visitor, method))
        ),
        None,
    )


def refusal_before_wechat(visitor: Visitor, method: LoginMethod) -> Attempt | None:
    """Return a refused attempt if the login method can't be used now, whatever WeChat answers."""
    try:
        with _attempt(visitor, method) as (offer, trail):
            scope = understood_scopes(None, offer.application.type)
            choose_method(offer, trail, method.identity_source.identifier, scope)
    except DomainError as refusal:
        return Attempt.refused(refusal)
    return None


def come_back(visitor: Visitor, method: LoginMethod, code: str, *, address: str) -> Attempt:
    """Log in the person that WeChat identifies, and end the session at once.

    A refusal counts for the visitor's address. A new person who would have to choose an account
    gets no binding ticket, since it can't be redeemed here.
    """
    throttle = LoginThrottle(address=address, client_id=visitor.application.client_id)
    try:
        with throttle.guard(), _attempt(visitor, method) as (offer, trail):
            return Attempt.succeeded_with(_try_out(arrive_by_redirect(offer, trail, method, code)))
    except DomainError as refusal:
        return Attempt.refused(refusal)


def _attempt(visitor: Visitor, method: LoginMethod) -> AbstractContextManager[tuple[Offer, Trail]]:
    client_id, door = visitor.application.client_id, LoginEvent.Door.EXPERIENCE
    return attempt(client_id, Way(method.way), door=door, now=timezone.now())


@in_transaction
def _try_out(arrival: Arrival) -> LoginEvent:
    session = begin(arrival)
    session.save(force_insert=True)
    begun = Session.objects.filter(pk=session.pk, pool=session.pool_id)
    begun.end(now=arrival.trail.at, reason=Session.EndReason.EXPERIENCE_ENDED)
    return arrival.trail.record_success(session)


def _state(visitor: Visitor, method: LoginMethod) -> str:
    # Hexadecimal, because WeChat's official accounts accept only letters and digits.
    return keyed_hash("experience state", visitor.session, str(method.pk)).hex()

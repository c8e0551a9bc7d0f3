"""An experience login through a browser: to WeChat and back, as from the hosted login page.

It takes the way of that page (accounts/login/by_browser.py), as a test: the browser isn't
remembered, no tokens are made, and the session ends as it begins.

The ``state`` of a trip needs no row: nobody else can make it, it is good in the visitor's session
alone, and WeChat takes each code once.
"""

from datetime import datetime
from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language

from accounts.experience.mini_program import Attempt, event_of
from accounts.experience.visitors import Visitor
from accounts.login.by_browser import entrance
from accounts.login.newcomers import associate
from accounts.login.rules import Entry, begin
from accounts.login.throttles import LoginThrottle
from accounts.models import LoginEvent, Session
from applications.models import LoginMethod
from config.kernel.encryption import keyed_hash
from config.kernel.errors import DomainError
from identity_sources.gateway import qrconnect_url


def wechat_url(visitor: Visitor, method: LoginMethod) -> str:
    """Return WeChat's page, from which the browser comes back to the experience page."""
    return qrconnect_url(
        method.identity_source,
        redirect_uri=f"{settings.PUBLIC_URL}{visitor.address('/callback')}",
        state=_state(visitor, method),
        language=get_language() or settings.LANGUAGE_CODE,
    )


def method_behind(
    unverified_state: str, visitor: Visitor, methods: list[LoginMethod]
) -> LoginMethod | None:
    """Return by which method the visitor went to WeChat; None if this visitor never did."""
    return next(
        (
            method
            for method in methods
            if constant_time_compare(unverified_state, _state(visitor, method))
        ),
        None,
    )


def refuse_before_wechat(visitor: Visitor, method: LoginMethod) -> Attempt | None:
    """Return a refused attempt if nobody comes in by this method now, whoever WeChat names."""
    now = timezone.now()
    try:
        with entrance(
            visitor.application, method, door=LoginEvent.Door.EXPERIENCE, scope=None, now=now
        ):
            return None
    except DomainError as error:
        return _refused(visitor, error, now)


def come_back(visitor: Visitor, method: LoginMethod, code: str, *, address: str) -> Attempt:
    """Log in whoever WeChat names; a refusal counts against the visitor's address."""
    now = timezone.now()
    throttle = LoginThrottle(address=address, client_id=visitor.application.client_id)
    try:
        entry = throttle.guard(partial(try_out, visitor, method, code, now=now))
    except DomainError as error:
        return _refused(visitor, error, now)
    return Attempt(
        event=event_of(visitor.application, sid=entry.session.pk, since=now),
        succeeded=True,
        created=entry.created,
        error="",
        error_description="",
    )


def try_out(visitor: Visitor, method: LoginMethod, code: str, *, now: datetime) -> Entry:
    """Log in whoever WeChat names, end the session at once, and record the attempt.

    Somebody new whom the source has asked gets no binding ticket: nothing here would redeem it.

    Raises:
        DomainError: one of its subclasses for every refusal (config/kernel/errors.py, refusals.py).

    """
    with entrance(
        visitor.application, method, door=LoginEvent.Door.EXPERIENCE, scope=None, now=now
    ) as opened:
        entry, _nothing = begin(opened.arrive(code), associate, partial(_end_at_once, now=now))
    return entry


def _end_at_once(session: Session, *, now: datetime) -> None:
    session.save(force_insert=True)
    begun = Session.objects.filter(pk=session.pk, pool=session.pool_id)
    begun.end(now=now, reason=Session.EndReason.EXPERIENCE_ENDED)


def _refused(visitor: Visitor, refusal: DomainError, since: datetime) -> Attempt:
    return Attempt(
        event=event_of(visitor.application, sid=None, since=since),
        succeeded=False,
        created=False,
        error=refusal.code,
        error_description=refusal.description,
    )


def _state(visitor: Visitor, method: LoginMethod) -> str:
    # Hexadecimal: WeChat's official accounts take nothing but letters and digits there.
    return keyed_hash("experience state", visitor.session, str(method.pk)).hex()

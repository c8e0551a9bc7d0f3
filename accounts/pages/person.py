"""Who is in front of a page, and the session that they get in an application."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from accounts.locking import lock_users
from accounts.models import AuthorizationRequest, BrowserSession, Session, User
from accounts.pages.cookies import login_secret
from accounts.pages.pending_request import Gone
from accounts.sessions.browsers import (
    SignedOff,
    find_browser_session,
    may_enter,
    record_single_sign_on,
    session_in,
)
from applications.models import Application


@dataclass(frozen=True, kw_only=True)
class PersonHere:
    """Who is in front of a page: logged in for this request, or signed on in the browser before."""

    user: User
    session: Session | None
    browser_session: BrowserSession | None

    def enter(self, application: Application, *, now: datetime) -> Session:
        """Return their session in the application; begin it, if they were signed on before.

        Raises:
            Gone: they have neither.

        """
        if self.session:
            return self.session
        if self.browser_session is None:
            raise Gone
        return enter_signed_on(self.browser_session, application, now)

    def enter_apart(self, application: Application, *, now: datetime) -> Session:
        """Begin a session of its own, for a device: nobody logs it out by a browser.

        Raises:
            Gone: the person was kept out meanwhile.

        """
        # Whoever keeps the person out ends the sessions that there are, and waits for this one.
        user = lock_users(self.user.pool_id, [self.user.pk])[self.user.pk]
        like = self.session or self.browser_session
        if user.status != User.Status.ACTIVE or like is None:
            raise Gone
        session = Session.objects.create(
            pool_id=self.user.pool_id,
            user=self.user,
            application=application,
            identity_source_id=like.identity_source_id,
            way=like.way,
            auth_time=like.auth_time,
        )
        if self.session is None:
            record_single_sign_on(session, now=now)
        return session


def who_is_here(request: HttpRequest, pending: AuthorizationRequest) -> PersonHere | None:
    """Return who may answer a kept request; None where somebody has to log in first."""
    if pending.session:
        session = pending.session
        is_running = session.ended_at is None and session.user.status == User.Status.ACTIVE
        person = PersonHere(user=session.user, session=session, browser_session=None)
        return person if is_running else None
    secret = login_secret(request, pending.pool)
    browser_session = find_browser_session(pending.pool, secret, now=timezone.now())
    if browser_session is None or not may_enter(browser_session, pending.application):
        return None
    return PersonHere(user=browser_session.user, session=None, browser_session=browser_session)


def was_shown(request: HttpRequest, person: PersonHere) -> bool:
    """Tell whether a form that came was shown to this very person, and not to one before them."""
    return request.POST.get("person") == person.user.sub


def enter_signed_on(
    browser_session: BrowserSession, application: Application, now: datetime
) -> Session:
    """Return the session of who is signed on already, and record that they entered.

    Raises:
        Gone: they were signed off just now.

    """
    try:
        session = session_in(browser_session, application, now=now)
    except SignedOff:
        raise Gone from None
    record_single_sign_on(session, now=now)
    return session

"""The person who uses a page, and the session that they get in an application."""

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
    """The person on a page: logged in for this request, or signed on in the browser before."""

    user: User
    session: Session | None
    browser_session: BrowserSession | None

    def enter(self, application: Application, *, now: datetime) -> Session:
        """Return the person's session in the application; begin one if they were signed on.

        Raises:
            Gone: there is no session and no browser session.

        """
        if self.session:
            return self.session
        if self.browser_session is None:
            raise Gone
        return enter_signed_on(self.browser_session, application, now)

    def enter_apart(self, application: Application, *, now: datetime) -> Session:
        """Begin a separate session for a device, which a logout in the browser doesn't end.

        Raises:
            Gone: the person was suspended or their account closed meanwhile.

        """
        # A transaction that suspends or closes the user waits for this lock, and ends this session.
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
    """Return the person who may answer a stored request; None if a login is needed first."""
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
    """Return whether the posted form was shown to this person, and not to an earlier one."""
    return request.POST.get("person") == person.user.sub


def enter_signed_on(
    browser_session: BrowserSession, application: Application, now: datetime
) -> Session:
    """Return the session of a person who is signed on, and record the single sign-on.

    Raises:
        Gone: the person has just been signed off.

    """
    try:
        session = session_in(browser_session, application, now=now)
    except SignedOff:
        raise Gone from None
    record_single_sign_on(session, now=now)
    return session

"""Single sign-on within a pool: the browser session, and the session of each application in it.

The browser's cookie holds a random secret, the row its hash. An application is entered without a
new login only if it offers the method of the person's login (source and way), the browser session
is running and the user is active; all of this is checked each time.
"""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import BrowserSession, LoginEvent, Session, User
from applications.models import Application
from applications.offers import still_offers
from config.kernel.database import one_or_none
from config.kernel.encryption import new_token, token_hash
from userpools.models import UserPool

LIVES = timedelta(days=1)


def find_browser_session(
    pool: UserPool, unverified_secret: str, *, now: datetime
) -> BrowserSession | None:
    """Return the running browser session with this secret; None if there is none."""
    if not unverified_secret:
        return None
    found = one_or_none(
        BrowserSession.objects.running(now)
        .select_related("user")
        .filter(
            pool=pool,
            secret_hash=token_hash(unverified_secret),
            user__status=User.Status.ACTIVE,
        )
    )
    if found:
        found.pool = pool
    return found


def new_browser_session(session: Session, *, now: datetime) -> tuple[BrowserSession, str]:
    """Return an unsaved browser session for a login that has just succeeded, and its secret.

    Each login makes a new secret, so a secret that an attacker planted before it is useless.
    """
    secret = new_token()
    browser_session = BrowserSession(
        pool_id=session.pool_id,
        user=session.user,
        identity_source=session.identity_source,
        way=session.way,
        secret_hash=token_hash(secret),
        auth_time=session.auth_time,
        expires_at=now + LIVES,
    )
    session.browser_session = browser_session
    return browser_session, secret


def may_enter(browser_session: BrowserSession, application: Application) -> bool:
    """Return whether the application offers the method by which the person signed on."""
    return still_offers(application, browser_session.identity_source_id, browser_session.way)


class SignedOff(Exception):
    """The person has just been signed off in this browser."""


def session_in(
    browser_session: BrowserSession, application: Application, *, now: datetime
) -> Session:
    """Return the application's running session of this login, or begin one, in a transaction.

    ``auth_time`` is that of the browser's login; a session from an earlier login isn't reused. The
    browser session is locked: a transaction that ends it waits, and ends this session as well
    (`SessionQuerySet.end`).

    Raises:
        SignedOff: the browser session has ended.

    """
    _lock_running(browser_session, now)
    running = Session.objects.filter(
        pool=browser_session.pool_id,
        browser_session=browser_session,
        application=application,
        auth_time=browser_session.auth_time,
        ended_at__isnull=True,
    )
    session = running.select_related("user").first()
    if session:
        session.application = application
        return session
    return Session.objects.create(
        pool_id=browser_session.pool_id,
        user=browser_session.user,
        application=application,
        browser_session=browser_session,
        identity_source_id=browser_session.identity_source_id,
        way=browser_session.way,
        auth_time=browser_session.auth_time,
    )


def record_single_sign_on(session: Session, *, now: datetime) -> None:
    """Record that a person who was signed on in the browser already entered an application."""
    LoginEvent.record(
        session,
        door=LoginEvent.Door.SINGLE_SIGN_ON,
        now=now,
        outcome=LoginEvent.Outcome.SUCCEEDED,
        decision=LoginEvent.Decision.SINGLE_SIGN_ON,
    )


def take_over(earlier: BrowserSession, session: Session, *, now: datetime) -> None:
    """Replace an earlier browser session by that of a new login in the same browser.

    If it is the same person, the application sessions of the earlier one move to the new one, so
    that a logout ends all of them. Another person is signed off.
    """
    if earlier.user_id != session.user_id:
        end_browser_session(earlier, now=now)
        return
    with transaction.atomic():
        ended = BrowserSession.objects.filter(pk=earlier.pk, ended_at__isnull=True)
        if ended.update(ended_at=now):
            entered = Session.objects.filter(pool=earlier.pool_id, browser_session=earlier)
            entered.filter(ended_at__isnull=True).update(browser_session=session.browser_session)


def _lock_running(browser_session: BrowserSession, now: datetime) -> None:
    running = BrowserSession.objects.running(now).filter(pk=browser_session.pk)
    if one_or_none(running.select_for_update(no_key=True)) is None:
        raise SignedOff


def end_browser_session(browser_session: BrowserSession, *, now: datetime) -> None:
    """Sign the person off in this browser: the sessions of all applications in it end."""
    with transaction.atomic():
        running = BrowserSession.objects.filter(pk=browser_session.pk, ended_at__isnull=True)
        running.update(ended_at=now)
        sessions = Session.objects.filter(
            pool=browser_session.pool_id, browser_session=browser_session
        )
        sessions.end(now=now, reason=Session.EndReason.LOGGED_OUT)

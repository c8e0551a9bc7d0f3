"""Single sign-on within a pool: who is signed on in a browser, and the session each app gets.

The browser's cookie holds a random secret, the row its hash. An application is entered without a
new login only if it offers the very method by which the person came (source and way), and session
and user are as they should be: all of that is asked again each time.
"""

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import BrowserSession, LoginEvent, Session, User
from applications.models import Application
from applications.offers import still_offers
from config.kernel.encryption import new_token, token_hash
from userpools.models import UserPool

LIVES = timedelta(days=1)


def find_browser_session(
    pool: UserPool, unverified_secret: str, *, now: datetime
) -> BrowserSession | None:
    """Return who is signed on in the browser that holds this secret, if anybody is."""
    if not unverified_secret:
        return None
    return (
        BrowserSession.objects.running(now)
        .select_related("user", "pool")
        .filter(
            pool=pool,
            secret_hash=token_hash(unverified_secret),
            user__status=User.Status.ACTIVE,
        )
        .first()
    )


def remember_browser(session: Session, *, now: datetime) -> str:
    """Store a browser session for a login that has just happened, and return its secret.

    The secret is new with each login: one that was planted before is worth nothing after it.
    """
    secret = new_token()
    session.browser_session = BrowserSession.objects.create(
        pool_id=session.pool_id,
        user=session.user,
        identity_source=session.identity_source,
        way=session.way,
        secret_hash=token_hash(secret),
        auth_time=session.auth_time,
        expires_at=now + LIVES,
    )
    return secret


def may_enter(browser_session: BrowserSession, application: Application) -> bool:
    """Tell whether the application offers the method by which the person signed on."""
    return still_offers(application, browser_session.identity_source_id, browser_session.way)


class SignedOff(Exception):
    """The person was signed off in this browser a moment ago."""


def session_in(
    browser_session: BrowserSession, application: Application, *, now: datetime
) -> Session:
    """Return the application's running session of this login, or begin one, in a transaction.

    ``auth_time`` is the browser's login's, also where the application was entered before from an
    earlier one. Whoever ends the browser session meanwhile waits, and ends this session as well
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
    """Record that a person entered an application who was signed on in the browser already."""
    LoginEvent.record(
        session,
        door=LoginEvent.Door.SINGLE_SIGN_ON,
        now=now,
        outcome=LoginEvent.Outcome.SUCCEEDED,
        decision=LoginEvent.Decision.SIGNED_ON,
    )


def take_over(earlier: BrowserSession, session: Session, *, now: datetime) -> None:
    """Let a new login take an earlier one's place in its browser, whose cookie it gets.

    What the same person entered before goes on as if entered from the new login, so that they
    are logged out of all of it together. Somebody else is signed off.
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
    if running.select_for_update(no_key=True).first() is None:
        raise SignedOff


def end_browser_session(browser_session: BrowserSession, *, now: datetime) -> None:
    """Sign the person off in this browser: every application's session in it ends."""
    with transaction.atomic():
        running = BrowserSession.objects.filter(pk=browser_session.pk, ended_at__isnull=True)
        running.update(ended_at=now)
        sessions = Session.objects.filter(
            pool=browser_session.pool_id, browser_session=browser_session
        )
        sessions.end(now=now, reason=Session.EndReason.LOGGED_OUT)

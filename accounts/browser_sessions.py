"""Single sign-on within a pool: who is signed on in a browser, and the session each app gets.

The browser's cookie holds a random secret, the row its hash. An application is entered without a
new login only if it offers the very method by which the person came (source and way), and session
and user are as they should be: all of that is asked again each time.
"""

import secrets
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import BrowserSession, Session, User
from applications.models import Application
from applications.offers import still_offers
from config.encryption import token_hash
from userpools.models import UserPool

SECRET_BYTES = 32
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
    secret = secrets.token_urlsafe(SECRET_BYTES)
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


def session_in(browser_session: BrowserSession, application: Application) -> Session:
    """Return the application's running session in this browser, or begin one.

    It is as old as the login in the browser: ``auth_time`` is that one's.
    """
    running = Session.objects.filter(
        pool=browser_session.pool_id,
        browser_session=browser_session,
        application=application,
        ended_at__isnull=True,
    )
    session = running.select_related("user", "identity_source").first()
    return session or Session.objects.create(
        pool_id=browser_session.pool_id,
        user=browser_session.user,
        application=application,
        browser_session=browser_session,
        identity_source_id=browser_session.identity_source_id,
        way=browser_session.way,
        auth_time=browser_session.auth_time,
    )


def end_browser_session(browser_session: BrowserSession, *, now: datetime) -> None:
    """Sign the person off in this browser: every application's session in it ends."""
    with transaction.atomic():
        running = BrowserSession.objects.filter(pk=browser_session.pk, ended_at__isnull=True)
        running.update(ended_at=now)
        sessions = Session.objects.filter(
            pool=browser_session.pool_id, browser_session=browser_session
        )
        sessions.end(now=now, reason=Session.EndReason.LOGGED_OUT)

"""From a kept authorization request to its next page, or to its answer."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from accounts.browser_sessions import (
    SignedOff,
    find_browser_session,
    may_enter,
    session_in,
    take_over,
)
from accounts.consents import record_consent
from accounts.events import record_single_sign_on
from accounts.models import (
    AuthorizationRequest,
    BrowserSession,
    DeviceAuthorization,
    Session,
    User,
)
from accounts.oidc.authorization.answering import answer_with_code, answer_with_error
from accounts.oidc.authorization.asking import Asked, Refused, Unanswerable, read_request
from accounts.oidc.authorization.deciding import Step, after_login
from accounts.oidc.authorization.keeping import close_request, find_request
from accounts.pages.cookies import browser_secret, keep_login_secret, login_secret
from accounts.pages.responses import say, send_answer, speak
from accounts.signing_on import SignedOn
from applications.models import Application
from userpools.models import UserPool


class Gone(Exception):
    """The request isn't there any more, was answered, or was begun in another browser."""


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
        return _enter(self.browser_session, application, now)


def who_is_here(request: HttpRequest, kept: AuthorizationRequest) -> PersonHere | None:
    """Return who may answer a kept request; None where somebody has to log in first."""
    if kept.session:
        session = kept.session
        is_running = session.ended_at is None and session.user.status == User.Status.ACTIVE
        person = PersonHere(user=session.user, session=session, browser_session=None)
        return person if is_running else None
    secret = login_secret(request, kept.pool)
    browser_session = find_browser_session(kept.pool, secret, now=timezone.now())
    if browser_session is None or not may_enter(browser_session, kept.application):
        return None
    return PersonHere(user=browser_session.user, session=None, browser_session=browser_session)


def address_of(pool: UserPool, handle: str, page: str = "") -> str:
    """Return the address of a kept request's page."""
    return f"/login/{pool.identifier}/{handle}{page}"


def kept_request(request: HttpRequest, pool: UserPool, handle: str) -> AuthorizationRequest:
    """Return the request that this page is about.

    Raises:
        Gone: this browser has no such request open.

    """
    kept = find_request(
        pool, handle, browser_secret=browser_secret(request, pool), now=timezone.now()
    )
    if kept is None:
        raise Gone
    speak(request, tuple(kept.parameters.get("ui_locales", "").split()))
    return kept


def asked_by(kept: AuthorizationRequest, *, now: datetime) -> Asked:
    """Read the request again: what it rests on may have changed since it was kept.

    Raises:
        Unanswerable, Refused: as they say.

    """
    return read_request(kept.pool, kept.parameters, now=now)


def proceed(
    request: HttpRequest, kept: AuthorizationRequest, handle: str, session: Session
) -> HttpResponse:
    """Go on after a login: to the consent page, or back to the application.

    Raises:
        Gone: the request was answered already.
        Unanswerable, Refused: as they say.

    """
    if kept.device:
        return HttpResponseRedirect(address_of(kept.pool, handle, "/device"))
    asked = asked_by(kept, now=timezone.now())
    if after_login(asked, session.user) == Step.CONSENT:
        return HttpResponseRedirect(address_of(kept.pool, handle, "/consent"))
    return answer(request, kept, asked, session)


def arrive(
    request: HttpRequest, kept: AuthorizationRequest, handle: str, signed_on: SignedOn
) -> HttpResponse:
    """Go on after a login, and give the browser its secret in the place of an earlier login's.

    Raises:
        Gone: the request was answered already.
        Unanswerable, Refused: as they say.

    """
    response = proceed(request, kept, handle, signed_on.session)
    now = timezone.now()
    earlier = find_browser_session(kept.pool, login_secret(request, kept.pool), now=now)
    if earlier:
        take_over(earlier, signed_on.session, now=now)
    keep_login_secret(response, kept.pool, signed_on.secret)
    return response


def answer(
    request: HttpRequest, kept: AuthorizationRequest, asked: Asked, session: Session
) -> HttpResponse:
    """Use the request up and send its code.

    Raises:
        Gone: it was answered already.

    """
    now = timezone.now()
    with transaction.atomic():
        if not close_request(kept, now=now):
            raise Gone
        made = answer_with_code(asked, session, now=now)
    return send_answer(request, made)


def agree(
    request: HttpRequest, kept: AuthorizationRequest, asked: Asked, person: PersonHere
) -> HttpResponse:
    """Record the person's consent, use the request up and send its code.

    Raises:
        Gone: it was answered already.

    """
    now = timezone.now()
    with transaction.atomic():
        record_consent(person.user, asked.application, asked.scope, now=now)
        return answer(request, kept, asked, person.enter(asked.application, now=now))


def enter_at_once(
    request: HttpRequest, asked: Asked, browser_session: BrowserSession
) -> HttpResponse:
    """Answer somebody who is signed on already, and needn't be asked anything.

    Raises:
        Gone: they were signed off just now.

    """
    now = timezone.now()
    with transaction.atomic():
        session = _enter(browser_session, asked.application, now)
        made = answer_with_code(asked, session, now=now)
    return send_answer(request, made)


def turn_down(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Tell the application why not."""
    return send_answer(request, answer_with_error(refused))


def decline(request: HttpRequest, kept: AuthorizationRequest) -> HttpResponse:
    """Take back to the application, or to the device, that the person doesn't want to.

    Raises:
        Gone: the request was answered already.
        Unanswerable, Refused: as they say.

    """
    now = timezone.now()
    asked = None if kept.device else asked_by(kept, now=now)
    if not close_request(kept, now=now):
        raise Gone
    if kept.session:
        sessions = Session.objects.filter(pool=kept.pool_id, pk=kept.session.pk)
        sessions.end(now=now, reason=Session.EndReason.CONSENT_REFUSED)
    if kept.device:
        _deny(kept.device)
    if asked is None:
        return say(request, "device_denied", pool=kept.pool, status=HTTPStatus.OK)
    return turn_down(request, asked.refuse("access_denied", "The person didn't agree."))


def explain(
    request: HttpRequest, error: Gone | Refused | Unanswerable, pool: UserPool
) -> HttpResponse:
    """Return the page, or the application's answer, for whatever ended a page's work."""
    if isinstance(error, Refused):
        return turn_down(request, error)
    return say(request, error.reason if isinstance(error, Unanswerable) else "gone", pool=pool)


def _enter(browser_session: BrowserSession, application: Application, now: datetime) -> Session:
    try:
        session = session_in(browser_session, application, now=now)
    except SignedOff:
        raise Gone from None
    record_single_sign_on(session, now=now)
    return session


def _deny(device: DeviceAuthorization) -> None:
    pending = DeviceAuthorization.objects.filter(
        pk=device.pk, decision=DeviceAuthorization.Decision.PENDING
    )
    pending.update(decision=DeviceAuthorization.Decision.DENIED)

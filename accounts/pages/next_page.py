"""From a kept authorization request to its next page, or to its answer."""

from datetime import datetime
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from accounts.login.by_browser import SignedOn
from accounts.models import AuthorizationRequest, BrowserSession, DeviceAuthorization, Session
from accounts.oidc.authorization.answering import answer_with_code, answer_with_error
from accounts.oidc.authorization.asking import Asked, Refused, Unanswerable
from accounts.oidc.authorization.consents import record_consent
from accounts.oidc.authorization.deciding import Step, after_login
from accounts.oidc.authorization.keeping import close_request
from accounts.pages.cookies import keep_login_secret, login_secret
from accounts.pages.pending_request import Gone, address_of, asked_by
from accounts.pages.person import PersonHere, enter_signed_on
from accounts.pages.responses import say, send_answer
from accounts.sessions.browsers import end_browser_session, find_browser_session, take_over
from userpools.models import UserPool


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
    now = timezone.now()
    try:
        response = proceed(request, kept, handle, signed_on.session)
    except (Refused, Unanswerable):
        _forget(kept, signed_on.session, now)
        raise
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
        session = enter_signed_on(browser_session, asked.application, now)
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
    with transaction.atomic():
        if not close_request(kept, now=now) or not _keep_out(kept.device):
            raise Gone
        if kept.session:
            sessions = Session.objects.filter(pool=kept.pool_id, pk=kept.session.pk)
            sessions.end(now=now, reason=Session.EndReason.NOT_ENTERED)
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


def _forget(kept: AuthorizationRequest, session: Session, now: datetime) -> None:
    """Leave nothing of a login that the application doesn't want, such as somebody else's."""
    with transaction.atomic():
        close_request(kept, now=now)
        sessions = Session.objects.filter(pool=kept.pool_id, pk=session.pk)
        sessions.end(now=now, reason=Session.EndReason.NOT_ENTERED)
        if session.browser_session:
            end_browser_session(session.browser_session, now=now)


def _keep_out(device: DeviceAuthorization | None) -> bool:
    """Keep the request's device out, if it is about one; False if it was decided about before."""
    if device is None:
        return True
    pending = DeviceAuthorization.objects.filter(
        pk=device.pk, decision=DeviceAuthorization.Decision.PENDING
    )
    return bool(pending.update(decision=DeviceAuthorization.Decision.DENIED))

"""From a stored authorization request to its next page, or to its answer."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from accounts.login.by_browser import SignedOn
from accounts.models import (
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    DeviceAuthorization,
    Session,
)
from accounts.oidc.authorization.answering import (
    Answer,
    answer_with_code,
    answer_with_error,
    new_code,
)
from accounts.oidc.authorization.checking import CheckedRequest, Refused, Unanswerable
from accounts.oidc.authorization.consents import record_consent
from accounts.oidc.authorization.deciding import NextPage, after_login, answers_anybody
from accounts.oidc.authorization.pending import close_request
from accounts.pages.cookies import keep_login_secret, login_secret
from accounts.pages.pending_request import Gone, address_of, check_again
from accounts.pages.person import PersonHere, enter_signed_on
from accounts.pages.responses import notice_page, send_answer
from accounts.sessions.browsers import end_browser_session, find_browser_session, take_over


def proceed(request: HttpRequest, pending: AuthorizationRequest, session: Session) -> HttpResponse:
    """Go on after a login: to the consent page, or back to the application.

    Raises:
        Gone: the request was answered already.
        Unanswerable, Refused: the request isn't valid any more.

    """
    if pending.device:
        return HttpResponseRedirect(address_of(pending, "/device"))
    checked = check_again(pending)
    if after_login(checked, session.user) == NextPage.CONSENT:
        return HttpResponseRedirect(address_of(pending, "/consent"))
    return answer(request, pending, checked, session)


@dataclass(frozen=True, kw_only=True)
class PreparedAnswer:
    """An answer with a code that will be stored in the transaction of the login."""

    code: AuthorizationCode
    answer: Answer


def prepare_answer(pending: AuthorizationRequest, *, now: datetime) -> PreparedAnswer | None:
    """Return the answer of a request that whoever logs in next completes.

    None if the person has to be asked something, or the request isn't valid any more.
    """
    if pending.device:
        return None
    try:
        checked = check_again(pending)
    except (Refused, Unanswerable):
        return None
    if not answers_anybody(checked):
        return None
    code, answer = new_code(checked, now=now)
    return PreparedAnswer(code=code, answer=answer)


def finish_login(
    request: HttpRequest,
    pending: AuthorizationRequest,
    signed_on: SignedOn,
    prepared: PreparedAnswer | None,
) -> HttpResponse:
    """Go on after a login, and store its secret in the browser in place of an earlier login's.

    Raises:
        Gone: the request was answered already, or the application changed during the login.
        Unanswerable, Refused: the request isn't valid any more.

    """
    now = timezone.now()
    if prepared and signed_on.is_answered:
        # The application may have changed while WeChat was asked.
        if prepare_answer(pending, now=now) is None:
            _forget(pending, signed_on.session, now)
            raise Gone
        response = send_answer(request, prepared.answer)
    else:
        response = _proceed_or_forget(request, pending, signed_on.session, now)
    earlier = find_browser_session(pending.pool, login_secret(request, pending.pool), now=now)
    if earlier:
        take_over(earlier, signed_on.session, now=now)
    keep_login_secret(response, pending.pool, signed_on.secret)
    return response


def _proceed_or_forget(
    request: HttpRequest, pending: AuthorizationRequest, session: Session, now: datetime
) -> HttpResponse:
    try:
        return proceed(request, pending, session)
    except (Refused, Unanswerable):
        _forget(pending, session, now)
        raise


def answer(
    request: HttpRequest, pending: AuthorizationRequest, checked: CheckedRequest, session: Session
) -> HttpResponse:
    """Use the request up and send its code.

    Raises:
        Gone: it was answered already.

    """
    now = timezone.now()
    with transaction.atomic():
        if not close_request(pending, now=now):
            raise Gone
        made = answer_with_code(checked, session, now=now)
    return send_answer(request, made)


def agree(
    request: HttpRequest, pending: AuthorizationRequest, checked: CheckedRequest, person: PersonHere
) -> HttpResponse:
    """Record the person's consent, use the request up and send its code.

    Raises:
        Gone: it was answered already.

    """
    now = timezone.now()
    with transaction.atomic():
        record_consent(person.user, checked.application, checked.scope, now=now)
        return answer(request, pending, checked, person.enter(checked.application, now=now))


def answer_at_once(
    request: HttpRequest, checked: CheckedRequest, browser_session: BrowserSession
) -> HttpResponse:
    """Answer at once for a person who is signed on and need not be asked anything.

    Raises:
        Gone: the person has just been signed off.

    """
    now = timezone.now()
    with transaction.atomic():
        session = enter_signed_on(browser_session, checked.application, now)
        made = answer_with_code(checked, session, now=now)
    return send_answer(request, made)


def send_refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Send an error to the application."""
    return send_answer(request, answer_with_error(refused))


def decline(request: HttpRequest, pending: AuthorizationRequest) -> HttpResponse:
    """Tell the application, or the device, that the person declined.

    Raises:
        Gone: the request was answered already.
        Unanswerable, Refused: the request isn't valid any more.

    """
    now = timezone.now()
    checked = None if pending.device else check_again(pending)
    with transaction.atomic():
        if not close_request(pending, now=now) or not _keep_out(pending.device):
            raise Gone
        if pending.session:
            sessions = Session.objects.filter(pool=pending.pool_id, pk=pending.session.pk)
            sessions.end(now=now, reason=Session.EndReason.NOT_ENTERED)
    if checked is None:
        return notice_page(request, "device_denied", pool=pending.pool, status=HTTPStatus.OK)
    return send_refusal(request, checked.refusal("access_denied", "The person didn't agree."))


def _forget(pending: AuthorizationRequest, session: Session, now: datetime) -> None:
    """End a login that the application refuses, for example because it is another user's."""
    with transaction.atomic():
        close_request(pending, now=now)
        sessions = Session.objects.filter(pool=pending.pool_id, pk=session.pk)
        sessions.end(now=now, reason=Session.EndReason.NOT_ENTERED)
        if session.browser_session:
            end_browser_session(session.browser_session, now=now)


def _keep_out(device: DeviceAuthorization | None) -> bool:
    """Deny the request's device, if it has one; return False if it was decided before."""
    if device is None:
        return True
    undecided = DeviceAuthorization.objects.filter(
        pk=device.pk, decision=DeviceAuthorization.Decision.PENDING
    )
    return bool(undecided.update(decision=DeviceAuthorization.Decision.DENIED))

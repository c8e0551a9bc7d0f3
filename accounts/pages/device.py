"""The pages for a device's code: the person enters and confirms it (RFC 8628 §3.3)."""

from datetime import datetime
from http import HTTPStatus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.binding.exact_limits import count_try, uncount_try
from accounts.models import AuthorizationRequest, DeviceAuthorization
from accounts.oidc.authorization.pending import close_request, keep_request
from accounts.oidc.endpoints.device_authorization import user_code_hash
from accounts.pages.cookies import (
    browser_secret,
    keep_browser_secret,
)
from accounts.pages.guards import login_page
from accounts.pages.next_page import decline
from accounts.pages.pending_request import Gone, address_of, pending_request
from accounts.pages.person import PersonHere, was_shown, who_is_here
from accounts.pages.responses import notice_page
from accounts.pages.sentences import scopes_in_words
from config.kernel.addresses import site_of
from config.kernel.database import one_or_none
from config.kernel.encryption import new_token
from userpools.models import UserPool

USER_CODE_MAX_LENGTH = 40
TRIES_OF_AN_ADDRESS = 50
"""wrong codes, within an hour; there are 25 billion codes (RFC 8628 §5.1)"""


@login_page("GET", "HEAD", "POST")
def enter_code(request: HttpRequest, pool: UserPool) -> HttpResponse:
    """Ask for the code; a POST finds the device and redirects to the login.

    Raises:
        TooManyRequests: this address has entered too many wrong codes.

    """
    if request.method != "POST":
        return _form(request, pool, request.GET.get("user_code", "")[:USER_CODE_MAX_LENGTH])
    now = timezone.now()
    typed = request.POST.get("user_code", "")[:USER_CODE_MAX_LENGTH]
    tries = (pool.pk, "device code from", site_of(request.META["REMOTE_ADDR"]))
    count_try(*tries, limit=TRIES_OF_AN_ADDRESS, now=now)
    device = _waiting(pool, typed, now)
    if device is None:
        error = _("No device waits with this code. Look at it again.")
        return _form(request, pool, typed, error=error)
    uncount_try(*tries, now=now)
    secret = browser_secret(request, pool) or new_token()
    pending = keep_request(
        device.application,
        {"scope": device.scope},
        browser_secret=secret,
        now=now,
        device=device,
    )
    response = HttpResponseRedirect(address_of(pending, "/device"))
    keep_browser_secret(response, pool, secret)
    return response


@login_page("GET", "HEAD", "POST")
def confirm(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Ask whether this is the person's own device; a POST approves or denies it."""
    pending = pending_request(request, pool, handle)
    device = pending.device
    if device is None:
        raise Gone
    person = who_is_here(request, pending)
    if person is None:
        return HttpResponseRedirect(address_of(pending))
    if request.method != "POST" or not was_shown(request, person):
        return render(
            request,
            "pages/device_confirm.html",
            {
                "application": pending.application,
                "person": person.user,
                "scopes": scopes_in_words(tuple(device.scope.split())),
            },
        )
    if request.POST.get("decision") != "agree":
        return decline(request, pending)
    return _let_in(request, pending, device, person)


def _let_in(
    request: HttpRequest,
    pending: AuthorizationRequest,
    device: DeviceAuthorization,
    person: PersonHere,
) -> HttpResponse:
    now = timezone.now()
    waiting = DeviceAuthorization.objects.filter(
        pk=device.pk, decision=DeviceAuthorization.Decision.PENDING, expires_at__gt=now
    )
    approved = DeviceAuthorization.Decision.APPROVED
    with transaction.atomic():
        session = person.enter_apart(pending.application, now=now)
        closed = close_request(pending, now=now)
        if not closed or not waiting.update(decision=approved, session=session):
            raise Gone
    return notice_page(request, "device_approved", pool=pending.pool, status=HTTPStatus.OK)


def _waiting(pool: UserPool, user_code: str, now: datetime) -> DeviceAuthorization | None:
    return one_or_none(
        DeviceAuthorization.objects.select_related("application__pool").filter(
            pool=pool,
            user_code_hash=user_code_hash(pool, user_code),
            decision=DeviceAuthorization.Decision.PENDING,
            expires_at__gt=now,
            application__enabled=True,
            application__allows_device_flow=True,
        )
    )


def _form(request: HttpRequest, pool: UserPool, user_code: str, *, error: str = "") -> HttpResponse:
    context = {"pool": pool, "user_code": user_code, "error": error}
    return render(request, "pages/device_code.html", context)

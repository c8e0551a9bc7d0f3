"""The login page: the application's login methods, the redirects to WeChat and back."""

import logging
from http import HTTPStatus
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from accounts.login.by_browser import browser_methods, new_state, sign_on, spend_state
from accounts.login.throttles import LoginThrottle
from accounts.models import AuthorizationRequest
from accounts.pages.cookies import browser_secret, keep_binding_ticket
from accounts.pages.guards import login_page
from accounts.pages.next_page import decline, finish_login, prepare_answer, proceed
from accounts.pages.pending_request import Gone, address_of, pending_request
from accounts.pages.person import who_is_here
from accounts.pages.responses import activate_language, allow_form_to
from accounts.pages.sentences import sentence_for_person
from accounts.refusals import AccountBindingRequired
from applications.models import LoginMethod
from config.kernel.database import AWAY
from config.kernel.errors import DomainError, ServiceUnavailable, TooManyRequests
from identity_sources.gateway import qrconnect_url
from identity_sources.models import IdentitySource
from identity_sources.wechat import shapes
from userpools.models import UserPool

logger = logging.getLogger(__name__)


@login_page("GET", "HEAD")
def show_login(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Show the application and its login methods; go on if the person has logged in already."""
    pending = pending_request(request, pool, handle)
    if pending.session and who_is_here(request, pending):
        return proceed(request, pending, pending.session)
    return _page(request, pending, error=request.GET.get("error", ""))


@login_page("POST")
def cancel(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Return the person to the application without a login."""
    return decline(request, pending_request(request, pool, handle))


@login_page("GET")
def to_wechat(request: HttpRequest, pool: UserPool, handle: str, method: str) -> HttpResponse:
    """Redirect the browser to WeChat, where the person confirms."""
    pending = pending_request(request, pool, handle)
    chosen = next(
        (offered for offered in browser_methods(pending.application) if str(offered.pk) == method),
        None,
    )
    if chosen is None:
        return _page(request, pending, error="login_method_disabled")
    state = new_state(pending, chosen, now=timezone.now())
    source = chosen.identity_source
    return HttpResponseRedirect(
        qrconnect_url(
            source,
            redirect_uri=callback_url(source),
            state=state,
            language=get_language() or settings.LANGUAGE_CODE,
        )
    )


@login_page("GET")
def callback(request: HttpRequest, pool: UserPool, source: str) -> HttpResponse:
    """Handle the redirect from WeChat: with a code, or without one if the person refused."""
    state = spend_state(
        pool,
        request.GET.get("state", ""),
        source=source,
        browser_secret=browser_secret(request, pool),
        now=timezone.now(),
    )
    if state is None:
        raise Gone
    pending = state.request
    activate_language(request, tuple(pending.parameters.get("ui_locales", "").split()))
    code = request.GET.get("code", "")
    if not shapes.is_code(code):
        return _try_again(pending, "refused_in_wechat")
    prepared = prepare_answer(pending, now=timezone.now())
    throttle = LoginThrottle(
        address=request.META["REMOTE_ADDR"], client_id=pending.application.client_id
    )
    try:
        with throttle.guard():
            signed_on = sign_on(
                state, code, answer=prepared.code if prepared else None, now=timezone.now()
            )
    except AccountBindingRequired as choice:
        return _to_binding(pending, choice)
    except DomainError as error:
        return _try_again(pending, error.code)
    except AWAY:
        # The state is used up, so loading this address again couldn't succeed.
        logger.exception("A login in a browser found the database or the cache away.")
        return _try_again(pending, ServiceUnavailable.code)
    return finish_login(request, pending, signed_on, prepared)


def _to_binding(pending: AuthorizationRequest, choice: AccountBindingRequired) -> HttpResponse:
    response = HttpResponseRedirect(address_of(pending, "/bind"))
    keep_binding_ticket(response, pending.pool, choice.extra["binding_ticket"])
    return response


def callback_url(source: IdentitySource) -> str:
    """Return the redirect URI for WeChat, a different one per source (RFC 9700 §4.4.2.1)."""
    return f"{settings.PUBLIC_URL}/login/{source.pool.identifier}/callback/{source.identifier}"


def _try_again(pending: AuthorizationRequest, error: str) -> HttpResponse:
    # Redirect: the current address has WeChat's code in it and can't be loaded again.
    address = address_of(pending)
    return HttpResponseRedirect(f"{address}?{urlencode({'error': error})}")


def _page(request: HttpRequest, pending: AuthorizationRequest, *, error: str = "") -> HttpResponse:
    methods = browser_methods(pending.application)
    response = render(
        request,
        "pages/login.html",
        {
            "application": pending.application,
            "methods": [(method, _start(pending, method)) for method in methods],
            "cancel": address_of(pending, "/cancel"),
            "error": sentence_for_person(error) if error else "",
        },
        status=HTTPStatus.TOO_MANY_REQUESTS if error == TooManyRequests.code else HTTPStatus.OK,
    )
    if not pending.device:
        allow_form_to(response, pending.parameters["redirect_uri"])
    return response


def _start(pending: AuthorizationRequest, method: LoginMethod) -> str:
    return address_of(pending, f"/wechat/{method.pk}")

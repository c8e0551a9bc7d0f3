"""The logout endpoint for applications (OpenID Connect RP-Initiated Logout 1.0)."""

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.models import BrowserSession, Session
from accounts.oidc.authorization.answering import with_query
from accounts.oidc.authorization.checking import Unanswerable
from accounts.oidc.authorization.hints import Hint, read_hint
from accounts.oidc.authorization.parameters import read_fields
from accounts.pages.cookies import forget_login, login_secret
from accounts.pages.guards import login_page
from accounts.pages.responses import (
    RedirectToApplication,
    activate_language,
    allow_form_to,
    by_get,
    notice_page,
)
from accounts.sessions.browsers import end_browser_session, find_browser_session
from applications.models import PostLogoutRedirectURI
from userpools.models import UserPool

UNDERSTOOD = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales")


@dataclass(frozen=True, kw_only=True)
class LogoutRequest:
    """A logout request; ``goes_to`` is empty if it has no post_logout_redirect_uri."""

    hint: Hint | None
    goes_to: str
    fields: dict[str, str]


@csrf_exempt
@login_page("GET", "HEAD", "POST")
def log_out(request: HttpRequest, pool: UserPool) -> HttpResponse:
    """Sign the person off, at once if the id_token_hint belongs to this login.

    Otherwise the person is asked, so that a link on another site can't sign them off.

    Raises:
        Unanswerable: post_logout_redirect_uri isn't registered, or the hint is another client's.

    """
    given = read_fields(request)
    if request.method == "POST" and not login_secret(request, pool):
        return by_get(request, given, UNDERSTOOD)
    logout = _read(pool, given)
    activate_language(request, tuple(logout.fields.get("ui_locales", "").split()))
    browser_session = find_browser_session(pool, login_secret(request, pool), now=timezone.now())
    if browser_session and not _is_of(browser_session, logout.hint):
        fields = {name: logout.fields[name] for name in UNDERSTOOD if name in logout.fields}
        response = render(request, "pages/log_out.html", {"pool": pool, "fields": fields})
        if logout.goes_to:
            allow_form_to(response, logout.goes_to)
        return response
    return _leave(request, pool, logout, browser_session)


@login_page("POST")
def confirm_log_out(request: HttpRequest, pool: UserPool) -> HttpResponse:
    """Sign the person off who pressed the button on our own page.

    Raises:
        Unanswerable: post_logout_redirect_uri isn't registered.

    """
    fields = read_fields(request)
    fields.pop("csrfmiddlewaretoken", None)
    browser_session = find_browser_session(pool, login_secret(request, pool), now=timezone.now())
    return _leave(request, pool, _read(pool, fields), browser_session)


def _read(pool: UserPool, fields: dict[str, str]) -> LogoutRequest:
    # A hint that isn't ours, or whose key was removed, is ignored: the person is asked.
    hint = read_hint(pool, fields.get("id_token_hint", ""))
    client_id = fields.get("client_id") or (hint.client_id if hint else "")
    if hint and client_id != hint.client_id:
        raise Unanswerable("id_token_hint")
    return LogoutRequest(hint=hint, goes_to=_goes_to(pool, client_id, fields), fields=fields)


def _goes_to(pool: UserPool, client_id: str, fields: dict[str, str]) -> str:
    uri = fields.get("post_logout_redirect_uri", "")
    if not uri:
        return ""
    registered = PostLogoutRedirectURI.objects.filter(
        application__pool=pool, application__client_id=client_id
    )
    if uri not in set(registered.values_list("uri", flat=True)):
        raise Unanswerable("post_logout_redirect_uri")
    return with_query(uri, {"state": fields["state"]}) if "state" in fields else uri


def _is_of(browser_session: BrowserSession, hint: Hint | None) -> bool:
    sid = _uuid(hint.sid) if hint else None
    if sid is None:
        return False
    return Session.objects.filter(
        pool=browser_session.pool_id, pk=sid, browser_session=browser_session
    ).exists()


def _leave(
    request: HttpRequest,
    pool: UserPool,
    logout: LogoutRequest,
    browser_session: BrowserSession | None,
) -> HttpResponse:
    now = timezone.now()
    if browser_session:
        end_browser_session(browser_session, now=now)
    elif logout.hint and (sid := _uuid(logout.hint.sid)):
        # The browser session is gone; the application's session may still run.
        sessions = Session.objects.filter(pool=pool, pk=sid, user__sub=logout.hint.sub)
        sessions.end(now=now, reason=Session.EndReason.LOGGED_OUT)
    response = (
        RedirectToApplication(logout.goes_to)
        if logout.goes_to
        else notice_page(request, "logged_out", pool=pool, status=HTTPStatus.OK)
    )
    if browser_session:
        # Only then: a form from another site is sent without the cookie, and mustn't delete it.
        forget_login(response, pool)
    return response


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

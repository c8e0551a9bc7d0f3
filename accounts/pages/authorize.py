"""The authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2.1)."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from accounts.oidc.authorization.checking import (
    NOT_SUPPORTED,
    PARAMETERS,
    check_request,
)
from accounts.oidc.authorization.deciding import NextPage, next_step
from accounts.oidc.authorization.parameters import pushed_fields, read_fields
from accounts.oidc.authorization.pending import keep_request
from accounts.pages.cookies import (
    browser_secret,
    keep_browser_secret,
    login_secret,
)
from accounts.pages.guards import login_page
from accounts.pages.next_page import answer_at_once
from accounts.pages.pending_request import address_of
from accounts.pages.responses import activate_language, by_get
from accounts.sessions.browsers import find_browser_session
from config.kernel.encryption import new_token
from userpools.models import UserPool


@csrf_exempt
@login_page("GET", "HEAD", "POST")
def authorize(request: HttpRequest, pool: UserPool) -> HttpResponse:
    """Answer an authorization request, or store it and ask the person first.

    Raises:
        Gone, Unanswerable, Refused: as they say.

    """
    if request.method == "POST":
        return by_get(request, read_fields(request), PARAMETERS | NOT_SUPPORTED)
    now = timezone.now()
    fields = pushed_fields(pool, read_fields(request), now=now)
    checked = check_request(pool, fields)
    activate_language(request, checked.ui_locales)
    browser_session = find_browser_session(pool, login_secret(request, pool), now=now)
    step = next_step(checked, browser_session, now=now)
    if browser_session and step == NextPage.ANSWER:
        return answer_at_once(request, checked, browser_session)
    secret = browser_secret(request, pool) or new_token()
    pending = keep_request(checked.application, dict(fields), browser_secret=secret, now=now)
    page = "/consent" if step == NextPage.CONSENT else ""
    response = HttpResponseRedirect(address_of(pending, page), status=303)
    keep_browser_secret(response, pool, secret)
    return response

"""The consent page: the person agrees to the scopes or declines (OIDC Core §3.1.2.4)."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User
from accounts.oidc.authorization.checking import CheckedRequest
from accounts.oidc.authorization.deciding import NextPage, after_login, next_step
from accounts.pages.guards import login_page
from accounts.pages.next_page import agree, decline
from accounts.pages.pending_request import address_of, check_again, pending_request
from accounts.pages.person import PersonHere, was_shown, who_is_here
from accounts.pages.responses import allow_form_to
from accounts.pages.sentences import scopes_in_words
from userpools.models import UserPool


@login_page("GET", "HEAD", "POST")
def consent(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Show the scopes that the application asks for; a POST agrees or declines."""
    pending = pending_request(request, pool, handle)
    checked = check_again(pending)
    person = who_is_here(request, pending)
    if person is None or not _may_be_asked(person, checked):
        return HttpResponseRedirect(address_of(pending))
    if request.method != "POST" or not was_shown(request, person):
        return _page(request, checked, person.user)
    if request.POST.get("decision") == "agree":
        return agree(request, pending, checked, person)
    return decline(request, pending)


def _may_be_asked(person: PersonHere, checked: CheckedRequest) -> bool:
    if person.browser_session is None:
        after_login(checked, person.user)
        return True
    return next_step(checked, person.browser_session, now=timezone.now()) != NextPage.LOGIN


def _page(request: HttpRequest, checked: CheckedRequest, user: User) -> HttpResponse:
    response = render(
        request,
        "pages/consent.html",
        {
            "application": checked.application,
            "person": user,
            "scopes": scopes_in_words(checked.scope),
        },
    )
    allow_form_to(response, checked.to.redirect_uri)
    return response

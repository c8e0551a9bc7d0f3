"""What the application may know: the person agrees, or goes back without (OIDC Core §3.1.2.4)."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User
from accounts.oidc.authorization.asking import Asked
from accounts.oidc.authorization.deciding import Step, after_login, next_step
from accounts.pages.guards import login_page
from accounts.pages.next_page import agree, decline
from accounts.pages.pending_request import address_of, asked_by, kept_request
from accounts.pages.person import PersonHere, was_shown, who_is_here
from accounts.pages.responses import lead_out
from accounts.pages.words import scopes_in_words
from userpools.models import UserPool


@login_page("GET", "HEAD", "POST")
def consent(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Show what the application asks for; a POST agrees or declines."""
    kept = kept_request(request, pool, handle)
    asked = asked_by(kept, now=timezone.now())
    person = who_is_here(request, kept)
    if person is None or not _may_be_asked(person, asked):
        return HttpResponseRedirect(address_of(pool, handle))
    if request.method != "POST" or not was_shown(request, person):
        return _page(request, asked, person.user)
    if request.POST.get("decision") == "agree":
        return agree(request, kept, asked, person)
    return decline(request, kept)


def _may_be_asked(person: PersonHere, asked: Asked) -> bool:
    if person.browser_session is None:
        after_login(asked, person.user)
        return True
    return next_step(asked, person.browser_session, now=timezone.now()) != Step.LOGIN


def _page(request: HttpRequest, asked: Asked, user: User) -> HttpResponse:
    response = render(
        request,
        "pages/consent.html",
        {
            "application": asked.application,
            "person": user,
            "scopes": scopes_in_words(asked.scope),
        },
    )
    lead_out(response, asked.to.redirect_uri)
    return response

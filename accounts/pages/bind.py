"""The page for a WeChat account without a user: a new account, or an existing one with proof."""

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.binding.email_codes import CODE_LENGTH
from accounts.binding.proofs import EmailCodeProof, PasswordProof, Proof
from accounts.binding.redeeming import bind_in_browser, send_email_code
from accounts.login.throttles import LoginThrottle
from accounts.login.tickets import find_ticket
from accounts.models import AuthorizationRequest
from accounts.pages.cookies import binding_ticket, forget_binding_ticket
from accounts.pages.guards import login_page
from accounts.pages.next_page import finish_login, prepare_answer
from accounts.pages.pending_request import address_of, pending_request
from accounts.pages.sentences import sentence_for_person
from accounts.refusals import InvalidBindingTicket
from applications.client_authentication import ClientCredentials
from config.kernel.addresses import site_of
from config.kernel.errors import DomainError, TooManyRequests
from identity_sources.models import IdentitySource
from userpools.models import UserPool

PASSWORD_MAX_LENGTH = 256


class AccountForm(forms.Form):
    """An existing account, proven by its password or by a code sent to its address."""

    email = forms.EmailField(
        label=_("e-mail address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("password"),
        max_length=PASSWORD_MAX_LENGTH,
        strip=False,
        required=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )
    email_code = forms.CharField(
        label=_("code"),
        max_length=CODE_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def proof(self) -> Proof | None:
        """Return the entered proof; if there is none, add an error to the form and return None."""
        filled = self.cleaned_data
        if filled["email_code"]:
            return EmailCodeProof(email=filled["email"], email_code=filled["email_code"])
        if filled["password"]:
            return PasswordProof(email=filled["email"], password=filled["password"])
        self.add_error("password", _("Enter the password, or have a code sent to you."))
        return None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The request and the binding ticket of a page, and whether a new account is possible."""

    pending: AuthorizationRequest
    ticket: str
    may_create: bool


@login_page("GET", "HEAD", "POST")
def bind(request: HttpRequest, pool: UserPool, handle: str) -> HttpResponse:
    """Let the person choose between a new and an existing account; a POST has the choice.

    Raises:
        TooManyRequests: the address has made too many wrong attempts.

    """
    pending = pending_request(request, pool, handle)
    try:
        choice = _choice(request, pending)
        return _answer(request, choice) if request.method == "POST" else _page(request, choice)
    except InvalidBindingTicket:
        response = HttpResponseRedirect(address_of(pending))
        forget_binding_ticket(response, pool)
        return response


def _choice(request: HttpRequest, pending: AuthorizationRequest) -> Choice:
    ticket = binding_ticket(request, pending.pool)
    row = find_ticket(
        pending.application.client_id, ticket, bound_to=str(pending.pk), now=timezone.now()
    )
    source = row.login_method.identity_source
    is_open = source.registration == IdentitySource.Registration.OPEN
    return Choice(pending=pending, ticket=ticket, may_create=is_open)


def _answer(request: HttpRequest, choice: Choice) -> HttpResponse:
    action = request.POST.get("action")
    if action == "create":
        return _let_in(request, choice, None, AccountForm())
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _page(request, choice, form)
    if action == "send_code":
        return _send_code(request, choice, form)
    proof = form.proof()
    return _let_in(request, choice, proof, form) if proof else _page(request, choice, form)


def _let_in(
    request: HttpRequest, choice: Choice, proof: Proof | None, form: AccountForm
) -> HttpResponse:
    pending, now = choice.pending, timezone.now()
    prepared = prepare_answer(pending, now=now)
    try:
        with _throttle(request, pending).guard():
            signed_on = bind_in_browser(
                pending, choice.ticket, proof, answer=prepared.code if prepared else None, now=now
            )
    except (TooManyRequests, InvalidBindingTicket):
        raise
    except DomainError as error:
        return _page(request, choice, form, error=error.code)
    response = finish_login(request, pending, signed_on, prepared)
    forget_binding_ticket(response, pending.pool)
    return response


def _send_code(request: HttpRequest, choice: Choice, form: AccountForm) -> HttpResponse:
    pending = choice.pending
    with _throttle(request, pending).guard():
        send_email_code(
            ClientCredentials(pending.application.client_id),
            choice.ticket,
            form.cleaned_data["email"],
            address=site_of(request.META["REMOTE_ADDR"]),
            now=timezone.now(),
            bound_to=str(pending.pk),
        )
    return _page(request, choice, form, code_sent=True)


def _page(
    request: HttpRequest,
    choice: Choice,
    form: AccountForm | None = None,
    *,
    error: str = "",
    code_sent: bool = False,
) -> HttpResponse:
    return render(
        request,
        "pages/bind.html",
        {
            "application": choice.pending.application,
            "may_create": choice.may_create,
            "form": form or AccountForm(initial={"email": _hinted_address(choice.pending)}),
            "error": sentence_for_person(error) if error else "",
            "sends_email": settings.SENDS_EMAIL,
            "code_sent": code_sent,
        },
    )


def _hinted_address(pending: AuthorizationRequest) -> str:
    """Return the e-mail address that the application sent as ``login_hint``, or nothing."""
    hint: str = pending.parameters.get("login_hint", "")
    try:
        validate_email(hint)
    except ValidationError:
        return ""
    return hint


def _throttle(request: HttpRequest, pending: AuthorizationRequest) -> LoginThrottle:
    return LoginThrottle(
        address=request.META["REMOTE_ADDR"], client_id=pending.application.client_id
    )

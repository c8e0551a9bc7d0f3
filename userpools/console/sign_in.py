"""How operators sign in, and by what wrong passwords are counted."""

from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from config.addresses import site_of
from userpools.models import Operator


class SignInForm(UnfoldAuthenticationForm):
    """Signs in every active operator: what they may do is said by their roles, not by a flag."""

    def confirm_login_allowed(self, user: Operator) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)


def caller(request: HttpRequest) -> str:
    """Return the address whose wrong passwords are counted together."""
    return site_of(request.META.get("REMOTE_ADDR", ""))

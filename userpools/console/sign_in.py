"""How operators sign in, and by what wrong passwords are counted."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from config.addresses import site_of
from userpools.models import Operator


class SignInForm(UnfoldAuthenticationForm):
    """Signs in every active operator: what they may do is said by their roles, not by a flag."""

    # Django's admin speaks of a "staff account", of which there are none here.
    error_messages = AuthenticationForm.error_messages

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django only tells the browser, and what counts wrong passwords can't store a longer one.
        username = self.fields["username"]
        username.validators.append(MaxLengthValidator(username.max_length))

    def confirm_login_allowed(self, user: Operator) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)


def caller(request: HttpRequest) -> str:
    """Return the address whose wrong passwords are counted together."""
    return site_of(request.META.get("REMOTE_ADDR", ""))

"""Sign-in of operators, and the address by which wrong passwords are counted."""

import hashlib
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from config.kernel.addresses import site_of
from userpools.models import Operator

# After this the other attempt must have crashed.
SECONDS_TO_SIGN_IN = 10


class SignInForm(UnfoldAuthenticationForm):
    """Signs in every active operator: permissions come from roles, not from a flag."""

    # Django's admin mentions a "staff account", which doesn't exist here.
    error_messages = AuthenticationForm.error_messages

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django only sets the attribute for browsers, and axes can't store a longer name.
        username = self.fields["username"]
        username.validators.append(MaxLengthValidator(username.max_length))

    def clean(self) -> dict[str, Any]:
        """Let one address try one password at a time: concurrent attempts are counted too late."""
        name = "signing-in:" + hashlib.sha256(caller(self.request).encode()).hexdigest()
        if not cache.add(name, True, timeout=SECONDS_TO_SIGN_IN):
            raise ValidationError(_("Somebody at your address is signing in. Try again."))
        try:
            return super().clean()
        finally:
            cache.delete(name)

    def confirm_login_allowed(self, user: Operator) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)


def caller(request: HttpRequest) -> str:
    """Return the address whose wrong passwords are counted together."""
    return site_of(request.META.get("REMOTE_ADDR", ""))

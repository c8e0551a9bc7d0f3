"""The forms of applications: a new one, and what can be changed of one."""

import json
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from applications.models import Application
from applications.rules import is_confidential
from userpools.console.model_admin import PoolForm

LIFETIMES = (
    "access_token_lifetime",
    "refresh_token_idle_lifetime",
    "refresh_token_absolute_lifetime",
)

_LIFETIME = _("As [days] hours:minutes:seconds: “30 00:00:00” is 30 days, “1:00:00” an hour.")
# Longer than anybody needs, and short enough that an expiry can be computed from it.
_LONGEST_LIFETIME = timedelta(days=3650)
# Ten RSA keys of 4096 bits with a certificate each.
_JWKS_MAX_LENGTH = 50_000

_Authentication = Application.ClientAuthentication


class KeySetField(forms.Field):
    """A JWK set, pasted as JSON; the model checks the keys.

    Django's own field answers 500 to JSON that can't be parsed: deeply nested brackets, or a number
    of thousands of digits.
    """

    widget = UnfoldAdminTextareaWidget
    default_error_messages = {
        "invalid": _("This isn't JSON. Paste the whole JWK set, from brace to brace.")
    }

    def __init__(self, *, encoder: Any = None, decoder: Any = None, **kwargs: Any) -> None:
        """Accept the arguments of the model's field; both are None."""
        super().__init__(**kwargs)
        self.widget.attrs["rows"] = 4

    def prepare_value(self, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        return json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        text = (value or "").strip()
        if len(text) > _JWKS_MAX_LENGTH:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return (json.loads(text) or None) if text else None
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class ApplicationForm(PoolForm):
    """Changes an application."""

    class Meta:
        field_classes = {"jwks": KeySetField}
        help_texts = {
            **dict.fromkeys(LIFETIMES, _LIFETIME),
            "enabled": _("While this is off, nobody logs in and no session is renewed."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & set(LIFETIMES):
            self.fields[name].validators.append(MaxValueValidator(_LONGEST_LIFETIME))
        authentication = self.fields.get("client_authentication")
        if isinstance(authentication, forms.ChoiceField):
            authentication.choices = _authentications(self.instance.type)


class NewApplicationForm(PoolForm):
    """A new application; one that can keep a secret gets one."""

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        if is_confidential(fields.get("type", "")):
            self.instance.client_authentication = _Authentication.CLIENT_SECRET
        return fields


def _authentications(application_type: str) -> list[tuple[str, Any]]:
    confidential = is_confidential(application_type)
    other = _Authentication.PRIVATE_KEY_JWT if confidential else _Authentication.NONE
    return [(choice.value, choice.label) for choice in (_Authentication.CLIENT_SECRET, other)]

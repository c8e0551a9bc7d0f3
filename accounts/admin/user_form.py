"""The form in which an operator adds a user or changes one."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError as InputError
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts.api.inputs import (
    EMAIL_MAX_LENGTH,
    NICKNAME_MAX_LENGTH,
    PASSWORD_MAX_LENGTH,
    NicknameField,
)
from accounts.models import User
from accounts.users.editing import Entered
from userpools.console.model_admin import PoolForm

_ASCII = RegexValidator(
    r"\A[\x21-\x7e]*\Z", _("Letters of ASCII alone: mail servers don't take others everywhere.")
)
_VOUCHING = _(
    "You vouch for it: whoever reads this mailbox can bind their WeChat to the account by a code, "
    "where a source's association is “Ask”."
)


class UserForm(PoolForm):
    """Changes a user; accounts/users/editing.py saves the values, not the form."""

    nickname = forms.CharField(
        label=_("Nickname"),
        max_length=NICKNAME_MAX_LENGTH,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=EMAIL_MAX_LENGTH,
        required=False,
        validators=[_ASCII],
        help_text=_VOUCHING,
        widget=UnfoldAdminEmailInputWidget,
    )
    new_password = forms.CharField(
        label=_("New password"),
        max_length=PASSWORD_MAX_LENGTH,
        required=False,
        strip=False,
        help_text=_(
            "Proves together with the e-mail address that the account is the person's. It is "
            "never shown again; left empty, it stays as it is."
        ),
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )
    remove_password = forms.BooleanField(
        label=_("Remove the password"), required=False, widget=UnfoldBooleanWidget
    )

    class Meta:
        model = User
        fields = ("nickname", "email")

    def clean_nickname(self) -> str:
        """Apply the API's rules: no invisible names and no characters that reverse the text."""
        nickname: str = self.cleaned_data["nickname"]
        if nickname:
            try:
                NicknameField(max_length=NICKNAME_MAX_LENGTH).to_internal_value(nickname)
            except InputError as error:
                sentence = _("Only characters that can be seen, and at least one.")
                raise ValidationError(sentence) from error
        return nickname

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        others = User.objects.filter(
            pool=self.pool, email__iexact=email, email_verified_at__isnull=False
        )
        if email and others.exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Another user of the pool has this e-mail address."))
        return email

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        password = fields.get("new_password", "")
        if password and fields.get("remove_password"):
            self.add_error("remove_password", _("Either remove it or set a new one."))
        if password:
            self._check_strength(password)
        keeps_one = bool(self.instance.password) and not fields.get("remove_password")
        if (password or keeps_one) and not fields.get("email", "-"):
            self.add_error("email", _("A password needs an e-mail address to go with it."))
        return fields

    def _check_strength(self, password: str) -> None:
        known = {name: self.cleaned_data.get(name, "") for name in ("nickname", "email")}
        # Django's type hints demand AUTH_USER_MODEL; its validators accept any object.
        whose: Any = User(**known)
        try:
            validate_password(password, whose)
        except ValidationError as error:
            for reason in error.error_list:
                self.add_error("new_password", _in_own_words(reason))

    def entered(self) -> Entered:
        """Return the entered values, without those that didn't change."""
        fields, changed = self.cleaned_data, self.changed_data
        password = fields.get("new_password") or None
        return Entered(
            nickname=fields["nickname"] if "nickname" in changed else None,
            email=fields["email"] if "email" in changed else None,
            password="" if fields.get("remove_password") else password,
        )


class NewUserForm(UserForm):
    """Adds a user; without an address a person could never prove that the account is theirs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["new_password"].label = _("Password")
        self.fields["new_password"].help_text = _(
            "Proves together with the e-mail address that the account is the person's. It is "
            "never shown again. Without one, a code by e-mail proves it."
        )


def _in_own_words(reason: ValidationError) -> ValidationError:
    """Return a message that Django reworded and that its Chinese translation therefore lacks."""
    if reason.code != "password_too_short":
        return reason
    sentence = _("This password is too short: take at least %(min_length)d characters.")
    return ValidationError(sentence, code=reason.code, params=reason.params)

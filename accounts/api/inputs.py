"""The fields that the REST endpoints accept; a refusal names the wrong or unknown field."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from accounts.binding.proofs import EmailCodeProof, PasswordProof, PhoneCodeProof, Proof
from config.kernel.errors import InvalidRequest
from config.kernel.fields import StrictSerializer, StrictTextField, invalid_request
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH
from identity_sources.wechat.shapes import MOCK_CODE

CODE_MAX_LENGTH = 256
SECRET_MAX_LENGTH = 256
SCOPE_MAX_LENGTH = 256
NICKNAME_MAX_LENGTH = 64
TOKEN_MAX_LENGTH = 512
EMAIL_MAX_LENGTH = 254
PASSWORD_MAX_LENGTH = 256

_PROOF_FIELDS = ("email", "password", "email_code", "phone_code")

_CODE = re.compile(r"[0-9A-Za-z_-]+")
_CODE_HINT = "is not a code of wx.login: those are letters, digits, _ and -."


# These join the parts of family and flag emoji.
_JOINERS = "\u200c\u200d"
# Unicode classifies these as letters or symbols, but they are invisible.
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Zl", "Zp"} and character not in _JOINERS


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK_LETTERS


class CodeField(StrictTextField):
    """A WeChat code; its format is checked, so that a mistyped code costs no call."""

    max_length = CODE_MAX_LENGTH
    pattern = _CODE
    pattern_hint = _CODE_HINT
    default_error_messages = {
        "mock": "is the developer tools' mock code. Open the project with your own AppID.",
    }

    def to_internal_value(self, data: Any) -> str:
        if data == MOCK_CODE:
            self.fail("mock")
        return super().to_internal_value(data)


class RestInput(StrictSerializer):
    """Takes an optional field that is empty or null as absent: programs without a value send it."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = {
                name: value
                for name, value in data.items()
                if not (value in ("", None) and self._is_optional(name))
            }
        return super().to_internal_value(data)

    def _is_optional(self, name: str) -> bool:
        field = self.fields.get(name)
        return field is not None and not field.required


class ClientInput(RestInput):
    """The fields by which an application authenticates."""

    client_id = StrictTextField(
        max_length=IDENTIFIER_MAX_LENGTH,
        required=False,
        help_text="The application. May be given by HTTP Basic instead.",
    )
    client_secret = StrictTextField(
        max_length=SECRET_MAX_LENGTH,
        required=False,
        help_text="Only where the application's client authentication asks for it.",
    )


class MiniProgramLoginInput(ClientInput):
    code = CodeField(help_text="From wx.login; valid for five minutes, once.")
    identity_source = StrictTextField(
        max_length=IDENTIFIER_MAX_LENGTH,
        required=False,
        help_text="Needed only where the application offers several mini program sources.",
    )
    phone_code = CodeField(
        required=False,
        help_text="From the getPhoneNumber button: sets the verified phone number.",
    )
    scope = StrictTextField(
        max_length=SCOPE_MAX_LENGTH,
        required=False,
        help_text="Separated by blanks. Default: openid profile phone account offline_access.",
    )


class EmailField(StrictTextField):
    """An e-mail address in ASCII, which every mail server accepts."""

    max_length = EMAIL_MAX_LENGTH
    default_error_messages = {"address": "is not an e-mail address."}

    def to_internal_value(self, data: Any) -> str:
        email = super().to_internal_value(data)
        try:
            validate_email(email)
            email.encode("ascii")
        except (ValidationError, UnicodeEncodeError):
            self.fail("address")
        return email


class BindingTicketInput(ClientInput):
    binding_ticket = StrictTextField(
        max_length=TOKEN_MAX_LENGTH, help_text="From the 409 account_binding_required."
    )


class BindInput(BindingTicketInput):
    action = StrictTextField(
        max_length=16,
        pattern=re.compile("create|bind"),
        pattern_hint="must be create (a new account) or bind (an account of the person's).",
        help_text="create: a new account. bind: the account that the proof is of.",
    )
    email = EmailField(required=False, help_text="The account's, with password or email_code.")
    password = StrictTextField(max_length=PASSWORD_MAX_LENGTH, required=False)
    email_code = StrictTextField(
        max_length=6,
        pattern=re.compile("[0-9]{6}"),
        pattern_hint="is 6 digits.",
        required=False,
        help_text="From POST /api/v1/login/bind/email-code.",
    )
    phone_code = CodeField(required=False, help_text="From the getPhoneNumber button.")


class EmailCodeInput(BindingTicketInput):
    email = EmailField(help_text="Where the code goes, if an account has the address.")


class LinkInput(RestInput):
    code = CodeField(help_text="From wx.login, of the WeChat account to link.")
    identity_source = StrictTextField(
        max_length=IDENTIFIER_MAX_LENGTH,
        required=False,
        help_text="Needed only where the application offers several mini program sources.",
    )


class PhoneInput(RestInput):
    phone_code = CodeField(help_text="From the getPhoneNumber button.")


class LogoutInput(ClientInput):
    refresh_token = StrictTextField(max_length=TOKEN_MAX_LENGTH)


class NicknameField(StrictTextField):
    """A visible name: no control characters, and at least one visible character."""

    default_error_messages = {
        "control": "must hold no control characters and none that turn the writing around.",
        "invisible": "must hold something visible.",
    }

    def to_internal_value(self, data: Any) -> str:
        nickname = super().to_internal_value(data)
        if any(_is_control(character) for character in nickname):
            self.fail("control")
        if not any(_is_visible(character) for character in nickname):
            self.fail("invisible")
        return nickname


class ProfileInput(RestInput):
    nickname = NicknameField(
        max_length=NICKNAME_MAX_LENGTH,
        required=False,
        help_text="Without it, or if it is empty, the nickname stays as it is.",
    )


def accepted(serializer_class: type[StrictSerializer], body: Any) -> dict[str, Any]:
    """Return the fields of a request's body.

    Raises:
        InvalidRequest: a field is wrong; it names the field and the reason.

    """
    try:
        fields: dict[str, Any] = _serializer(serializer_class).run_validation(body)
    except serializers.ValidationError as error:
        raise invalid_request(error.detail) from None
    return fields


@cache
def _serializer(serializer_class: type[StrictSerializer]) -> StrictSerializer:
    """Return the one serializer of a class: each new one would copy all fields."""
    return serializer_class()


def proof_of(fields: dict[str, Any]) -> Proof | None:
    """Return the proof of a binding request; None for a new account.

    Raises:
        InvalidRequest: its fields make no proof, or more than one.

    """
    given = {name for name in _PROOF_FIELDS if name in fields}
    if fields["action"] == "create":
        if given:
            raise InvalidRequest("action: create takes no proof; send bind with one.")
        return None
    if given == {"email", "password"}:
        return PasswordProof(email=fields["email"], password=fields["password"])
    if given == {"email", "email_code"}:
        return EmailCodeProof(email=fields["email"], email_code=fields["email_code"])
    if given <= {"phone_code"}:
        return PhoneCodeProof(phone_code=fields.get("phone_code"))
    raise InvalidRequest(
        "Send exactly one proof: email and password, email and email_code, or phone_code."
    )

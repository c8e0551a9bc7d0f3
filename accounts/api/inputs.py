"""What the REST doors accept, field by field; anything else is refused by name."""

import re
import unicodedata
from typing import Any

from rest_framework.request import Request

from config.fields import StrictSerializer, StrictTextField
from config.identifiers import IDENTIFIER_MAX_LENGTH
from identity_sources.wechat.shapes import MOCK_CODE

CODE_MAX_LENGTH = 256
SECRET_MAX_LENGTH = 256
SCOPE_MAX_LENGTH = 256
NICKNAME_MAX_LENGTH = 64
TOKEN_MAX_LENGTH = 512

_CODE = re.compile(r"[0-9A-Za-z_-]+")
_CODE_HINT = "is not a code of wx.login: those are letters, digits, _ and -."


# Family and flag emoji are held together by these.
_JOINERS = "\u200c\u200d"
# Letters and symbols to Unicode, nothing to the eye.
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"


def _is_control(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Zl", "Zp"} and character not in _JOINERS


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANK_LETTERS


class CodeField(StrictTextField):
    """A code of WeChat's, checked for shape so that a mistyped one costs no call."""

    default_error_messages = {
        "mock": "is the developer tools' mock code. Open the project with your own AppID.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=CODE_MAX_LENGTH, pattern=_CODE, pattern_hint=_CODE_HINT, **kwargs
        )

    def to_internal_value(self, data: Any) -> str:
        if data == MOCK_CODE:
            self.fail("mock")
        return super().to_internal_value(data)


class ClientInput(StrictSerializer):
    """The fields by which an application names and proves itself."""

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
        allow_empty=True,
        required=False,
        help_text="Separated by blanks. Default: openid profile phone account offline_access.",
    )


class LogoutInput(ClientInput):
    refresh_token = StrictTextField(max_length=TOKEN_MAX_LENGTH)


class NicknameField(StrictTextField):
    """A name that shows: no control characters, and not of invisible ones alone."""

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


class ProfileInput(StrictSerializer):
    nickname = NicknameField(max_length=NICKNAME_MAX_LENGTH)


def accepted(serializer_class: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """Return the request's fields.

    Raises:
        ValidationError, InvalidRequest: naming the field and the reason.

    """
    serializer = serializer_class(data=request.data)
    serializer.is_valid(raise_exception=True)
    fields: dict[str, Any] = serializer.validated_data
    return fields

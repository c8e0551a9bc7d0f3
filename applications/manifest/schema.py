"""The shape of each object of a manifest. Nothing is cast or trimmed; unknown keys are refused."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Never

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import TextChoices
from django.utils import timezone
from rest_framework import serializers

from applications.client_keys import validate_client_jwks
from applications.manifest.reading import Unquoted
from applications.models import Application, ClientSecret
from applications.redirect_uris import REDIRECT_URI_MAX_LENGTH, validate_logout_uri
from applications.rules import LONGEST_REFRESH_LEEWAY, ApplicationType, Way
from config.kernel.fields import StrictSerializer, StrictTextField
from config.kernel.identifiers import IDENTIFIER_MAX_LENGTH, validate_client_id, validate_identifier
from identity_sources.models import IdentitySource
from userpools.models import SigningKey, UserPool

NAME_MAX_LENGTH = 100
SOURCE_IDENTIFIER_MAX_LENGTH = 32
APP_ID_MAX_LENGTH = 32
SECRET_MAX_LENGTH = 256

# Upper case only: a secret pasted in the place of the name isn't quoted in the error.
_ENVIRONMENT_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")
# RFC 6749 appendix A.2 without the blank, so that a copied line break is noticed.
_SECRET = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Secret:
    """A secret on its way from the file into the database; printing it shows nothing."""

    value: str = field(repr=False)


def suggestion(word: str, known: list[str]) -> str:
    """Return " Did you mean X?", or nothing where no known word is close."""
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {close[0]}?" if close else ""


class TextField(StrictTextField):
    default_error_messages = {"type": "must be a string: put it in quotation marks."}


class ChoiceField(serializers.Field[str, Any, str, Any]):
    """One of a model's choices."""

    default_error_messages = {
        "type": "must be a string: one of {words}.",
        "choice": "must be one of {words}.{suggestion}",
    }

    def __init__(self, choices: type[TextChoices], **kwargs: Any) -> None:
        self.words = [str(value) for value in choices.values]
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("type", words=", ".join(self.words))
        if data not in self.words:
            self.fail(
                "choice", words=", ".join(self.words), suggestion=suggestion(data, self.words)
            )
        return data

    def to_representation(self, value: str) -> str:
        return value


class SwitchField(serializers.Field[bool, Any, bool, Any]):
    default_error_messages = {"type": "must be true or false, without quotation marks."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("type")
        return data

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001 - DRF's signature
        return value


class SecondsField(serializers.Field[int, Any, int, Any]):
    """A whole number of seconds, at most ``longest``."""

    default_error_messages = {"type": "must be a whole number of seconds from 0 to {longest}."}

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        self.longest = longest
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        number = data.number if isinstance(data, Unquoted) else None
        if number is None or number > self.longest:
            self.fail("type", longest=self.longest)
        return number

    def to_representation(self, value: int) -> int:
        return value


class ItemsField(serializers.Field[list[Any], Any, list[Any], Any]):
    """A list; its items are checked one by one (entries.py)."""

    default_error_messages = {"type": "must be a list."}

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("type")
        return data

    def to_representation(self, value: list[Any]) -> list[Any]:
        return value


class KeySetField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JWK set of public keys."""

    default_error_messages = {"rule": "{reason}"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            validate_client_jwks(data)
        except DjangoValidationError as error:
            self.fail("rule", reason=" ".join(error.messages))
        return dict(data)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        return value


class SecretField(serializers.Field[Secret, Any, Secret, Any]):
    """A literal, or ``{env: NAME}``: a variable of the environment in the serializer's context."""

    default_error_messages = {
        "type": "must be a string, or {{env: NAME}} in upper case.",
        "environment": "the environment variable {name} is missing or empty.",
        "form": "must be printable ASCII without blanks or line breaks{of}.",
        "rule": "{reason}",
    }

    def __init__(self, *, check: Callable[[str], None], **kwargs: Any) -> None:
        self.check = check
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Secret:
        value, of = self._look_up(data) if isinstance(data, Mapping) else (data, "")
        if not isinstance(value, str):
            self.fail("type")
        if len(value) > SECRET_MAX_LENGTH or not _SECRET.fullmatch(value):
            self.fail("form", of=of)
        try:
            self.check(value)
        except DjangoValidationError as error:
            self.fail("rule", reason=" ".join(error.messages))
        return Secret(value)

    def to_representation(self, value: Secret) -> Never:
        raise TypeError("A secret is never shown.")

    def _look_up(self, reference: Mapping[str, Any]) -> tuple[str, str]:
        name = reference.get("env")
        if set(reference) != {"env"} or not isinstance(name, str):
            self.fail("type")
        if not _ENVIRONMENT_NAME.fullmatch(name):
            self.fail("type")
        value = self.context["environment"].get(name, "")
        if not value:
            self.fail("environment", name=name)
        return value, f" (in the environment variable {name})"


class ManifestSerializer(StrictSerializer):
    """Names every unknown key, not only the first, with a suggestion."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        unknown = {key: [self._unknown(key)] for key in data if key not in self.fields}
        try:
            values = super().to_internal_value(
                {key: value for key, value in data.items() if key not in unknown}
            )
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**unknown, **_details(error)}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown(self, key: str) -> str:
        word, _colon, _rest = key.partition(":")  # perhaps only a blank is missing after it
        return f"is not known here.{suggestion(word, list(self.fields))}"


class ManifestRootSerializer(ManifestSerializer):
    user_pools = ItemsField()


class PoolSerializer(ManifestSerializer):
    identifier = TextField(max_length=IDENTIFIER_MAX_LENGTH, validators=[validate_identifier])
    name = TextField(max_length=NAME_MAX_LENGTH, required=False)
    merge = ChoiceField(UserPool.Merge, required=False)
    genauth_compatible = SwitchField(required=False)
    identity_sources = ItemsField(required=False)
    applications = ItemsField(required=False)


def _check_app_secret(value: str) -> None:
    IdentitySource().set_app_secret(value, now=timezone.now())


def _check_logout_uri(value: str) -> None:
    if value:  # an empty text removes the URI
        validate_logout_uri(value)


def _check_client_secret(value: str) -> None:
    ClientSecret.for_application(Application(), value)


class SourceSerializer(ManifestSerializer):
    identifier = TextField(
        max_length=SOURCE_IDENTIFIER_MAX_LENGTH, validators=[validate_identifier]
    )
    type = ChoiceField(IdentitySource.Type, required=False)
    display_name = TextField(max_length=NAME_MAX_LENGTH, required=False)
    app_id = TextField(max_length=APP_ID_MAX_LENGTH, required=False)
    app_secret = SecretField(check=_check_app_secret, required=False)
    mode = ChoiceField(IdentitySource.Mode, required=False)
    registration = ChoiceField(IdentitySource.Registration, required=False)
    association = ChoiceField(IdentitySource.Association, required=False)
    enabled = SwitchField(required=False)


class ApplicationSerializer(ManifestSerializer):
    client_id = TextField(max_length=IDENTIFIER_MAX_LENGTH, validators=[validate_client_id])
    name = TextField(max_length=NAME_MAX_LENGTH, required=False)
    type = ChoiceField(ApplicationType, required=False)
    enabled = SwitchField(required=False)
    client_authentication = ChoiceField(Application.ClientAuthentication, required=False)
    client_secret = SecretField(check=_check_client_secret, required=False)
    jwks = KeySetField(required=False)
    signing_algorithm = ChoiceField(SigningKey.Algorithm, required=False)
    pkce = ChoiceField(Application.Pkce, required=False)
    requires_consent = SwitchField(required=False)
    allows_device_flow = SwitchField(required=False)
    refresh_leeway = SecondsField(longest=LONGEST_REFRESH_LEEWAY, required=False)
    backchannel_logout_uri = TextField(
        max_length=REDIRECT_URI_MAX_LENGTH,
        allow_empty=True,
        validators=[_check_logout_uri],
        required=False,
    )
    redirect_uris = ItemsField(required=False)
    post_logout_redirect_uris = ItemsField(required=False)
    login_methods = ItemsField(required=False)


class RedirectURISerializer(ManifestSerializer):
    """One item of a list of redirect URIs; its rule needs the application's type (planning)."""

    uri = TextField(max_length=REDIRECT_URI_MAX_LENGTH)


class LoginMethodSerializer(ManifestSerializer):
    """One item of ``login_methods`` in its long form."""

    way = ChoiceField(Way, required=False)
    enabled = SwitchField(required=False)

    def get_fields(self) -> dict[str, Any]:
        # Not a class attribute: `source` is a property of every DRF field.
        return {
            "source": TextField(max_length=SOURCE_IDENTIFIER_MAX_LENGTH),
            **super().get_fields(),
        }


def _details(error: serializers.ValidationError) -> dict[str, Any]:
    return dict(error.detail) if isinstance(error.detail, Mapping) else {}

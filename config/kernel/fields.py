"""Strict serializer fields: a value is accepted unchanged or refused, never trimmed or cast.

DRF's own CharField turns 12345 into "12345" and trims blanks; at a login endpoint a code of the
wrong type is a client's error that should be reported.
"""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.kernel.errors import InvalidRequest

# NUL can't be stored by PostgreSQL; a lone surrogate can't be encoded as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictTextField(serializers.Field[str, Any, str, Any]):
    """A JSON string of 1 to ``max_length`` characters, taken as it is.

    A field of a kind has its length and pattern as class attributes.
    """

    default_error_messages = {
        # DRF's own texts of these two would be translated, unlike all other errors.
        "required": "is required.",
        "null": "must not be null.",
        "type": "must be a string.",
        "empty": "must not be empty.",
        "length": "must be at most {max_length} characters long.",
        "characters": "holds a NUL character or half of a surrogate pair.",
        "pattern": "{pattern_hint}",
    }

    max_length = 0
    pattern: re.Pattern[str] | None = None
    pattern_hint = ""

    def __init__(
        self,
        *,
        max_length: int | None = None,
        allow_empty: bool = False,
        pattern: re.Pattern[str] | None = None,
        pattern_hint: str = "",
        **kwargs: Any,
    ) -> None:
        self.max_length = max_length or self.max_length
        self.allow_empty = allow_empty
        self.pattern = pattern or self.pattern
        self.pattern_hint = pattern_hint or self.pattern_hint
        super().__init__(**kwargs)

    @property
    def published_pattern(self) -> str:
        """The pattern for the OpenAPI schema, without Python's own syntax."""
        return self.pattern.pattern if self.pattern and self.pattern.pattern.isascii() else ""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("type")
        if not data and not self.allow_empty:
            self.fail("empty")
        if len(data) > self.max_length:
            self.fail("length", max_length=self.max_length)
        if _UNSTORABLE.search(data):
            self.fail("characters")
        if self.pattern and not self.pattern.fullmatch(data):
            self.fail("pattern", pattern_hint=self.pattern_hint)
        return data

    def to_representation(self, value: str) -> str:
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it doesn't know, so that a misspelt one isn't silently ignored."""

    default_error_messages = {"invalid": "must be an object."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [key for key in data if key not in self.fields]
            if unknown:
                raise serializers.ValidationError({_printable(unknown[0]): ["is not known here."]})
        return super().to_internal_value(data)


def invalid_request(errors: Any) -> InvalidRequest:
    """Return the error for a client: the first of a serializer's errors, with its field."""
    field, reason = first_error(errors)
    return InvalidRequest(f"{field}: {reason}" if field else reason, field=field)


def first_error(errors: Any, path: str = "") -> tuple[str, str]:
    """Return the path and the text of the first of a serializer's errors."""
    if isinstance(errors, Mapping):
        key, inner = next((key, inner) for key, inner in errors.items() if inner)
        return first_error(inner, f"{path}.{key}" if path else str(key))
    if isinstance(errors, list) and isinstance(errors[0], Mapping):
        position = next(index for index, inner in enumerate(errors) if inner)
        return first_error(errors[position], f"{path}[{position}]")
    return path, str(errors[0] if isinstance(errors, list) else errors)


def _printable(key: object) -> str:
    """Return a name from a request in a form that an answer can quote."""
    return re.sub(r"[^\w.-]", "?", str(key), flags=re.ASCII)[:64]

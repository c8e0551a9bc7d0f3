"""Reading the OAuth endpoints' forms: UTF-8, no field twice (RFC 6749 §3.2, appendix B)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import parse_qsl

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from config.kernel.errors import InvalidRequest

MAX_FIELDS = 50
MAX_LENGTH = 4096


class StrictFormParser(BaseParser):
    """Parses a form as UTF-8, whatever charset its Content-Type names."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise InvalidRequest(
                "The body is too large.", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            )
        try:
            pairs = parse_qsl(
                raw.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
            )
        except ValueError:
            raise InvalidRequest("The body is not a form in UTF-8, or has too much.") from None
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise InvalidRequest("A field stands twice; each may stand once.")
        return fields


def form_fields(request: Request) -> dict[str, str]:
    """Return a form's fields, including unknown ones; empty fields count as missing.

    Raises:
        InvalidRequest: it isn't a form, or a field is given twice, too long or holds a NUL.

    """
    form = request.data
    if not isinstance(form, dict):
        raise InvalidRequest("Send a form.")
    fields: dict[str, str] = {name: value for name, value in form.items() if value}
    for name, value in fields.items():
        if len(value) > MAX_LENGTH or "\x00" in value or "\x00" in name:
            raise InvalidRequest("A field is too long or holds a NUL character.")
    return fields


def required(fields: dict[str, str], name: str) -> str:
    """Return a required field.

    Raises:
        InvalidRequest: it is missing.

    """
    if name not in fields:
        raise InvalidRequest(f"{name}: is required.", field=name)
    return fields[name]

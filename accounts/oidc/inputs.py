"""What the OAuth endpoints accept: forms, no field twice (RFC 6749 §3.2)."""

from django.http import QueryDict
from rest_framework.request import Request

from config.errors import InvalidRequest

MAX_LENGTH = 4096


def form_fields(request: Request) -> dict[str, str]:
    """Return a form's fields; unknown ones may be there, empty ones count as absent.

    Raises:
        InvalidRequest: a field stands twice, is too long or holds a NUL character.

    """
    fields = {}
    form = request.data
    if not isinstance(form, QueryDict):
        raise InvalidRequest("Send a form.")
    for name, values in form.lists():
        if len(values) > 1:
            raise InvalidRequest("A field stands twice; each may stand once.")
        value = str(values[0])
        if len(value) > MAX_LENGTH or "\x00" in value or "\x00" in name:
            raise InvalidRequest("A field is too long or holds a NUL character.")
        if value:
            fields[name] = value
    return fields


def required(fields: dict[str, str], name: str) -> str:
    """Return a field that must be there.

    Raises:
        InvalidRequest: it is missing.

    """
    if name not in fields:
        raise InvalidRequest(f"{name}: is required.", field=name)
    return fields[name]

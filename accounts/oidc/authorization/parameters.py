"""The parameters of an authorization request, sent directly or pushed before (RFC 9126 §4)."""

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, QueryDict

from accounts.models import PushedRequest
from accounts.oidc.authorization.checking import Unanswerable, find_application
from accounts.oidc.inputs import MAX_FIELDS, MAX_LENGTH
from config.kernel.database import one_or_none
from config.kernel.encryption import token_hash
from userpools.models import UserPool

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"


def read_fields(request: HttpRequest) -> dict[str, str]:
    """Return the fields of the query or, for a POST, of the form; empty ones count as missing.

    Raises:
        Unanswerable: a field is given twice, is too long or isn't text (RFC 6749 §3.1).

    """
    form: QueryDict = request.POST if request.method == "POST" else request.GET
    lists = list(form.lists())
    if len(lists) > MAX_FIELDS or any(len(values) != 1 for _name, values in lists):
        raise Unanswerable("request")
    fields = {name: str(values[0]) for name, values in lists if values[0]}
    for name, value in fields.items():
        if len(value) > MAX_LENGTH or not is_text(name + value):
            raise Unanswerable("request")
    return fields


def pushed_fields(pool: UserPool, fields: Mapping[str, str], *, now: datetime) -> Mapping[str, str]:
    """Use up and return the pushed parameters; return the fields if none were pushed.

    Raises:
        Unanswerable: the request_uri is used or expired, or belongs to another application.

    """
    request_uri = fields.get("request_uri", "")
    if not request_uri.startswith(REQUEST_URI_PREFIX):
        return fields
    application = find_application(pool, fields)
    unused = PushedRequest.objects.filter(
        pool=pool,
        application=application,
        handle_hash=token_hash(request_uri.removeprefix(REQUEST_URI_PREFIX)),
        used_at__isnull=True,
        expires_at__gt=now,
    )
    row = one_or_none(unused)
    if row is None or not unused.update(used_at=now):
        raise Unanswerable("request_uri")
    parameters: dict[str, str] = row.parameters
    return parameters


def is_text(value: str) -> bool:
    """Return whether a parameter can be stored and shown: it has only printable characters."""
    # NUL can't be stored; Django replaces bytes that aren't UTF-8 by U+FFFD.
    return value.isprintable() and "\ufffd" not in value

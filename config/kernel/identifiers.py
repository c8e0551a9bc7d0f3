"""Validators of identifiers in URLs, YAML files and tokens."""

import re
import uuid

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

IDENTIFIER_MAX_LENGTH = 64
_IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")


def is_identifier(value: str) -> bool:
    """Tell whether the value has the form of an identifier."""
    return len(value) <= IDENTIFIER_MAX_LENGTH and _IDENTIFIER.fullmatch(value) is not None


def validate_identifier(value: str) -> None:
    """Accept lower-case letters, digits and single hyphens inside.

    Raises:
        ValidationError: the value has another form.

    """
    if not is_identifier(value):
        raise ValidationError(
            _("Use lower-case letters, digits and single hyphens between them, such as “acme-2”.")
        )


def validate_client_id(value: str) -> None:
    """Accept a value that needs no escaping in a URL and can't be mistaken for a ``sub``.

    Raises:
        ValidationError: the value has another form.

    """
    if not _CLIENT_ID.fullmatch(value):
        raise ValidationError(
            _("Use letters, digits and . _ ~ - and begin with a letter or digit.")
        )
    try:
        uuid.UUID(value)
    except ValueError:
        return
    raise ValidationError(_("A client_id must not look like a UUID: those name users."))

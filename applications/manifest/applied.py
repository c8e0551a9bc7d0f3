"""What `apply` wrote last, remembered as digests, so that a change made in the console shows.

A digest covers the row's id, the field and the value, so that equal values of two rows don't look
alike. The values aren't secret, or have 128 random bits and more: SHA-256 needs no key here.
"""

import hashlib
import json
from typing import Any
from uuid import UUID

Value = str | bool | list[str] | dict[str, Any] | None


def digest(row_id: UUID, field: str, value: Value) -> str:
    """Return what is remembered about a value."""
    # Sorted, since a database may keep an object's members in an order of its own.
    text = json.dumps(
        [str(row_id), field, value], ensure_ascii=True, separators=(",", ":"), sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()

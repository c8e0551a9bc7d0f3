"""Primary keys: UUID version 7, so that rows made together lie together (RFC 9562 §5.7)."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a new UUID v7, made here rather than by the database: ciphertexts are bound to it."""
    return uuid7()

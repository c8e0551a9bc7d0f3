"""Primary keys: UUID version 7, so that rows made together lie together (RFC 9562 §5.7).

They are made here rather than by the database, because ciphertexts are bound to them.
"""

from uuid_utils.compat import uuid7

# The library's function itself: a frame of our own in between would only cost time on every row.
# Older migrations name it as it is named here; Django writes the library's name into new ones.
new_id = uuid7

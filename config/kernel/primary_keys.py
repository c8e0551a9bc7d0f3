"""Primary keys: UUID version 7, so that new rows are adjacent in the index (RFC 9562 §5.7).

They are generated here and not by the database, because ciphertexts are bound to them.
"""

from uuid_utils.compat import uuid7

# The library's function itself: a wrapper would only cost time on every row. Older migrations use
# the name defined here; Django writes the library's name into new ones.
new_id = uuid7

"""The tests; what they share is in `tests.support`."""

import pytest

# A failed assertion of a helper shows its values, as one of a test does.
pytest.register_assert_rewrite("tests.support", "tests.accounts")

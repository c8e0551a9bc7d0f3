"""Threads and their database, as the tests of logins use them."""

from tests.accounts.conftest import threaded_database, together

__all__ = ["threaded_database", "together"]

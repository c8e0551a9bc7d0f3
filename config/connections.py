"""Giving the database connection back before waiting for somebody else."""

from django.db import connection


def release_connection() -> None:
    """Return this thread's connection to the pool: nothing is held while WeChat is asked.

    Within a transaction there is nothing to give back, and calling it there would be a mistake of
    ours; only tests that wrap themselves in one do.
    """
    if not connection.in_atomic_block:
        connection.close()

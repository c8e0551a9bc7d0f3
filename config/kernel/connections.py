"""The database and the cache: what they raise while away, and giving a connection back."""

from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

# PoolTimeout arrives as an OperationalError: Django wraps what psycopg raises.
AWAY = (OperationalError, InterfaceError, RedisError)


def release_connection() -> None:
    """Return this thread's connection to the pool: nothing is held while WeChat is asked.

    Within a transaction there is nothing to give back, and calling it there would be a mistake of
    ours; only tests that wrap themselves in one do.
    """
    if not connection.in_atomic_block:
        connection.close()

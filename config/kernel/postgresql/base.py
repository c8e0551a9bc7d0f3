"""The name of this module and of its class are those that Django looks for in a backend.

https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""

import time
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool

IDLE_SECONDS = 1.0

_returned_at: WeakKeyDictionary[Connection[Any], float] = WeakKeyDictionary()


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a connection out of the pool without asking the server, if it was just in use.

    Django checks each one, with a round trip. A connection that was idle may have been broken
    since, by a restart of the database: it is checked, and replaced.
    """

    @property
    def pool(self) -> ConnectionPool[Any] | None:
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options:
            return None
        if self.alias not in self._connection_pools:
            self._connection_pools.setdefault(
                self.alias,
                ConnectionPool(
                    # Django sets autocommit as it needs it when it takes a connection.
                    kwargs={**self.get_connection_params(), "autocommit": True},
                    open=False,  # Django opens it with the first connection.
                    configure=self._configure_connection,
                    check=_check_if_idle,
                    **options,
                ),
            )
        pool: ConnectionPool[Any] = self._connection_pools[self.alias]
        return pool

    def _close(self) -> None:
        # Not as the pool's ``reset``, for which it would give each connection to another thread.
        if self.connection is not None:
            _returned_at[self.connection] = time.monotonic()
        super()._close()


def _check_if_idle(connection: Connection[Any]) -> None:
    if time.monotonic() - _returned_at.get(connection, 0.0) > IDLE_SECONDS:
        ConnectionPool.check_connection(connection)

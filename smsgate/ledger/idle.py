"""Connections to Redis, lent out without the looks that redis-py's pool takes at each of them."""

import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import redis

T = TypeVar("T")

# What is idle of a pool is held for as long as the pool is.
_IDLE: Final[WeakKeyDictionary[redis.ConnectionPool, deque[Any]]] = WeakKeyDictionary()


class Idle:
    """The connections of one client, for any number of threads; time limits, tries, TLS and credentials are its own."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        # One for each pool, however many ask: the pool counts what is not in it, and gives no more than a hundred. A
        # deque's ends are safe to use from many threads at once: no lock is needed.
        self._idle = _IDLE.setdefault(self._pool, deque())

    def exchange(self, packed: bytes, read: Callable[[Any], T]) -> T:
        """Send commands and read what is answered, on a connection that nobody else speaks on meanwhile.

        Raises:
            redis.RedisError: As redis-py raises it, after as many tries as the client makes.
        """
        connection = self._take()
        try:
            return connection.retry.call_with_retry(  # type: ignore[no-any-return]  # it gives what it is given
                lambda: _exchange(connection, packed, read), lambda _error: connection.disconnect()
            )
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


def _exchange(connection: Any, packed: bytes, read: Callable[[Any], T]) -> T:
    try:
        connection.send_packed_command([packed])
        return read(connection)
    except redis.ResponseError:
        raise
    except BaseException:
        # Whatever cut it short (a signal, between the two), the answer to this must not be taken for the next one's.
        connection.disconnect()
        raise

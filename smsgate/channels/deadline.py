"""A limit to how long the whole of an answer may take.

An SDK's read timeout is for each read of the socket: a provider that drips a byte a second holds a call for as long as
it likes. In a process of its own Celery's time limits cut that off; a thread cannot be cut off, so the reading itself
has to look at the clock. That costs two calls for each read, and an answer is read in two or three.
"""

import io
import ssl
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

# Hosts for which connections are kept: the endpoint, and perhaps a proxy.
_HOSTS: Final = 4


class TimeLimitExceeded(Exception):
    """An answer was not at its end when its time was up. No OSError: urllib3 would take one for a read timeout."""


class TimedReader(io.RawIOBase):
    """What a socket receives, until the time is up."""

    def __init__(self, sock: Any, limit: float) -> None:
        self._sock: Final = sock
        # The socket's own file: it keeps the socket open when the connection lets go of it before the answer's end.
        self._file: Final = sock.makefile("rb", buffering=0)
        self._until: Final = time.monotonic() + limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeLimitExceeded
        patience = self._sock.gettimeout()
        if patience is not None and patience <= left:
            read: int | None = self._file.readinto(buffer)
            return read
        self._sock.settimeout(left)
        try:
            read = self._file.readinto(buffer)
        except TimeoutError:
            raise TimeLimitExceeded from None
        self._sock.settimeout(patience)
        return read

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedSocket:
    """All that an HTTPResponse asks of a socket."""

    def __init__(self, sock: Any, limit: float) -> None:
        self._reader: Final = TimedReader(sock, limit)

    def makefile(self, *_mode: Any) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class TimedResponse(HTTPResponse):
    """An answer that takes `limit` seconds from its request at the longest."""

    def __init__(self, sock: Any, *args: Any, limit: float, **kwargs: Any) -> None:
        timed: Any = _TimedSocket(sock, limit)
        super().__init__(timed, *args, **kwargs)


class TimedAdapter(HTTPAdapter):
    """An adapter of requests whose answers are limited, through a proxy too."""

    def __init__(self, context: ssl.SSLContext, *, pool_size: int, limit: float) -> None:
        self._context = context
        self._pools = _pools(limit)
        super().__init__(pool_connections=_HOSTS, pool_maxsize=pool_size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager: Any = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(limit: float) -> dict[str, Any]:
    """Give urllib3's pools for each protocol, with connections that make limited answers."""
    answer = {"response_class": partial(TimedResponse, limit=limit)}
    plain = type("TimedConnection", (HTTPConnection,), answer)
    tls = type("TimedTlsConnection", (HTTPSConnection,), answer)
    return {
        "http": type("TimedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TimedTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }

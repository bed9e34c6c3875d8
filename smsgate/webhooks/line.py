"""The connections of one call, which can be cut from outside.

The timeouts of requests are for each read: an endpoint that drips one byte of its headers every few seconds would hold
a worker for ever. Nothing else can end such a call: neither a name being resolved nor a TLS handshake has a time limit.
"""

import contextlib
import socket
import threading

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Line:
    """What one call is connected through."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._is_cut = False

    def cut(self) -> None:
        """End every connection, and let no other come about."""
        with self._lock:
            self._is_cut = True
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
            self._ends.clear()

    def take(self, end: socket.socket) -> None:
        """Take charge of a connection; as a duplicate, because TLS takes the socket's own descriptor away from it.

        Raises:
            OSError: The line was cut meanwhile; nothing may be sent any more.
        """
        with self._lock:
            if self._is_cut:
                end.close()
                raise OSError("cut")
            self._ends.append(end.dup())

    def pools(self) -> dict[str, type[HTTPConnectionPool]]:
        """Build the pool classes for urllib3 whose connections hang on this line."""
        line = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                end = super()._new_conn()
                line.take(end)
                return end

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                end = super()._new_conn()
                line.take(end)
                return end

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        return {"http": PlainPool, "https": EncryptedPool}

"""An end to each call, whatever the other side does.

The SDK's read timeout is for each read: a server that drips its answer byte by byte would hold a thread for as long as
it likes. Celery's time limits end such a call in a process of its pool, and not at all in a thread. So the connection
of a call that has lasted too long is shut down, and its thread finds it closed.
"""

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# Seconds between two looks at the calls.
_LOOK: Final = 0.5


class TimeLimitExceeded(Exception):
    """A call has lasted for too long and was cut off; named as Celery's own, and known by that name."""


class Call:
    """One call under way."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.over = False
        self.struck = False
        self._socket: socket.socket | None = None

    def goes_through(self, one: socket.socket | None) -> None:
        self._socket = one

    def strike(self) -> None:
        self.struck = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class Calls:
    """The calls of this process that are under way, and the thread that looks at them."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque()
        self._thread: threading.Thread | None = None
        self._mine = threading.local()
        self._starting = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    @contextlib.contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """Cut off what this thread calls within the block if it lasts for longer.

        Raises:
            TimeLimitExceeded: It was.
        """
        call = Call(time.monotonic() + seconds)
        self._mine.call = call
        self._calls.append(call)
        self._watch()
        try:
            yield
        except Exception:
            if call.struck:
                raise TimeLimitExceeded from None
            raise
        finally:
            call.over = True
            call.goes_through(None)
            self._mine.call = None
        if call.struck:
            # What was read until then may look like an answer.
            raise TimeLimitExceeded

    def go_through(self, one: Any) -> None:
        """Note the connection through which this thread's call goes."""
        call = getattr(self._mine, "call", None)
        if call is not None:
            call.goes_through(one)

    def _watch(self) -> None:
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._look, name="call-limit", daemon=True)
                    self._thread.start()

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK)
            now = time.monotonic()
            for call in list(self._calls):
                if call.over or call.until <= now:
                    self._calls.remove(call)
                if not call.over and call.until <= now:
                    call.strike()

    def _begin_anew(self) -> None:
        """A forked child has none of its parent's threads."""
        self._calls, self._thread, self._starting = deque(), None, threading.Lock()


def pools(calls: Calls) -> dict[str, type[HTTPConnectionPool]]:
    """Build the pool classes for urllib3 whose connections tell which call goes through them."""

    class Plain(HTTPConnection):
        def getresponse(self) -> Any:
            calls.go_through(self.sock)
            return super().getresponse()

    class Encrypted(HTTPSConnection):
        def getresponse(self) -> Any:
            calls.go_through(self.sock)
            return super().getresponse()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}

"""Who sends: threads that repeat each request, with its Idempotency-Key, until it is accepted."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import chain, count, repeat
from socket import socket
from typing import Any, Final

from tests.chaos.orders import Order

THREADS: Final = 8
# Seconds: for one answer, between two tries, and after the last was due until they give up.
_ANSWER, _PAUSE, _PERSISTENCE = 5.0, 0.2, 90.0
_ACCEPTED: Final = 202


class BrokeOff(ConnectionError):
    """The client's own line broke in the middle of a request."""


@dataclass(frozen=True, slots=True)
class _Try:
    """One try of a request: whether it breaks off after so many bytes, and what keeps its line open then."""

    cut: int | None = None
    hanging: ExitStack | None = None

    def leave(self, connection: HTTPConnection) -> None:
        """Take the line from a connection that hangs; it is closed with all that hang."""
        line: socket | None = connection.sock
        if self.hanging is not None and line is not None:
            connection.sock = None
            self.hanging.callback(line.close)


class Customers:
    """Have every order accepted, spread over `seconds`."""

    def __init__(self, port: int, key: str, wanted: Sequence[Order], seconds: float) -> None:
        self.accepted: dict[str, str] = {}  # message ids by number
        self.batches: dict[str, Order] = {}  # those that were accepted, by id
        self.answers: Counter[str] = Counter()
        self.in_flight = 0
        self._port, self._key = port, key
        self._wanted, self._seconds = wanted, seconds
        self._lock = threading.Lock()
        self._next = count()
        self._began = time.monotonic()
        self._given_up = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Give up what is not accepted yet."""
        self._given_up.set()

    def _work(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER)
        try:
            while (index := next(self._next)) < len(self._wanted):
                order = self._wanted[index]
                due = self._began + self._seconds * order.at
                if self._given_up.wait(max(0.0, due - time.monotonic())):
                    return
                self._persist(connection, order)
        finally:
            connection.close()

    def _persist(self, connection: HTTPConnection, order: Order) -> None:
        """Repeat a request until it is accepted, refused for good, or given up."""
        until = self._began + self._seconds + _PERSISTENCE
        with ExitStack() as hanging:
            tries = chain([_Try(order.cut, hanging if order.hangs else None)], repeat(_Try()))
            while time.monotonic() < until and not self._given_up.is_set():
                status, answer = self._ask(connection, order, next(tries))
                self._note(order, status, answer)
                if isinstance(status, int) and status < 500:
                    return
                self._given_up.wait(_PAUSE)

    def _note(self, order: Order, status: int | str, answer: Mapping[str, Any]) -> None:
        with self._lock:
            self.answers[f"batch {status}" if order.is_batch else str(status)] += 1
            if status == _ACCEPTED:
                self.accepted.update(order.ids(answer))
            if status == _ACCEPTED and order.is_batch:
                self.batches[str(answer["id"])] = order

    def _ask(self, connection: HTTPConnection, order: Order, this: _Try) -> tuple[int | str, Mapping[str, Any]]:
        """Ask once; gives the status, or the kind of what broke the request, and the answer where it was accepted."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": order.media,
            "Content-Length": str(len(order.content)),
            "Idempotency-Key": order.key,
        }
        with self._lock:
            self.in_flight += 1
        try:
            connection.request("POST", order.path, _sent(order, this.cut), headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            this.leave(connection)
            connection.close()
            return type(error).__name__, {}
        finally:
            with self._lock:
                self.in_flight -= 1
        return answer.status, json.loads(body) if answer.status == _ACCEPTED else {}


def _sent(order: Order, cut: int | None) -> Iterator[bytes]:
    """Send a body, a slow one with a pause after each piece; break off after `cut` bytes."""
    pieces = list(order.pieces())
    sent = 0
    for piece in pieces:
        yield piece if cut is None else piece[: max(0, cut - sent)]
        sent += len(piece)
        if cut is not None and sent >= cut:
            raise BrokeOff
        if order.slow:
            time.sleep(order.slow / len(pieces))

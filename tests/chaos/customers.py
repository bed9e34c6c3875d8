"""Who sends: threads that repeat each request, with its Idempotency-Key, until it is accepted."""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from random import Random
from typing import Any, Final

from tests.integration.nodes.gateway import TEMPLATE

THREADS: Final = 8
# Seconds: for one answer, between two tries, and after the last was due until they give up.
_ANSWER, _PAUSE, _PERSISTENCE = 5.0, 0.2, 90.0
_ACCEPTED: Final = 202
# As the workers of the lanes have children: four, two, two.
_LANES: Final = ("otp", "otp", "notice", "bulk")
_OTHER_TEMPLATES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "notice": ("SMS_200000001", {"name": "王先生", "order": "1001", "date": "明天"}),
    "bulk": ("SMS_200000002", {"name": "王先生", "discount": "8"}),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One message that somebody wants sent; no other goes to its number."""

    phone: str
    key: str
    body: bytes


def orders(number: int, rng: Random) -> list[Order]:
    """Write so many orders, lanes mixed, each to a number of its own."""
    return [_order(index, rng.choice(_LANES)) for index in range(number)]


def _order(index: int, lane: str) -> Order:
    phone = f"139{index:08d}"
    template, params = _OTHER_TEMPLATES.get(lane, (TEMPLATE, {"code": f"{index % 1_000_000:06d}"}))
    message: dict[str, Any] = {"to": phone, "template": template, "params": params, "lane": lane}
    return Order(phone, f"order-{index}", json.dumps(message).encode())


class Customers:
    """Have every order accepted, spread over `seconds`."""

    def __init__(self, port: int, key: str, wanted: Sequence[Order], seconds: float) -> None:
        self.accepted: dict[str, str] = {}  # message ids by number
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
                due = self._began + self._seconds * index / len(self._wanted)
                if self._given_up.wait(max(0.0, due - time.monotonic())):
                    return
                self._persist(connection, self._wanted[index])
        finally:
            connection.close()

    def _persist(self, connection: HTTPConnection, order: Order) -> None:
        """Repeat a request until it is accepted, refused for good, or given up."""
        until = self._began + self._seconds + _PERSISTENCE
        while time.monotonic() < until and not self._given_up.is_set():
            status, message_id = self._ask(connection, order)
            with self._lock:
                self.answers[str(status)] += 1
                if message_id is not None:
                    self.accepted[order.phone] = message_id
            if message_id is not None or (isinstance(status, int) and status < 500):
                return
            self._given_up.wait(_PAUSE)

    def _ask(self, connection: HTTPConnection, order: Order) -> tuple[int | str, str | None]:
        """Ask once; gives the status, or the kind of what broke the request, and the id where it was accepted."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": order.key,
        }
        with self._lock:
            self.in_flight += 1
        try:
            connection.request("POST", "/v1/messages", order.body, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            return type(error).__name__, None
        finally:
            with self._lock:
                self.in_flight -= 1
        return answer.status, str(json.loads(body)["id"]) if answer.status == _ACCEPTED else None

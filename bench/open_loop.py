"""Load at a constant rate, which wrk cannot give.

A request's time counts from when it was due, not from when a thread came to it: what a busy server makes the generator
wait is part of what its clients would wait (coordinated omission).
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: the id that it was answered with, and when it was due (Unix seconds); seconds until its answer."""

    id: str
    due: float
    took: float


def drive(  # noqa: PLR0913 - where to, what, how fast
    base: str, key: str, message: Callable[[], dict[str, Any]], *, rate: float, seconds: float, threads: int = 16
) -> list[Sent]:
    """POST messages at a constant rate.

    Raises:
        RuntimeError: One was not accepted.
    """
    numbers, lock = count(), threading.Lock()
    sent: list[Sent] = []
    wrong: list[str] = []
    total = int(rate * seconds)
    # Monotonic for the spacing, the wall clock for what the provider notes.
    began, wall = time.perf_counter() + 0.2, time.time() + 0.2
    parts = urlsplit(base)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def work() -> None:
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
        while (number := next(numbers)) < total and not wrong:
            due = number / rate
            time.sleep(max(0.0, began + due - time.perf_counter()))
            connection.request("POST", "/v1/messages", json.dumps(message()), headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 202:
                wrong.append(f"{answer.status}: {body[:200]!r}")
                return
            with lock:
                sent.append(Sent(json.loads(body)["id"], wall + due, time.perf_counter() - began - due))

    everyone = [threading.Thread(target=work) for _ in range(threads)]
    for one in everyone:
        one.start()
    for one in everyone:
        one.join()
    if wrong:
        raise RuntimeError(wrong[0])
    return sent

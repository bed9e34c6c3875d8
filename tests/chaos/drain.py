"""Waiting for the last message to end, and for the last late task to have done nothing."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

import redis

from tests.chaos.fleet import Fleet
from tests.chaos.verdict import Report, is_final
from tests.integration.nodes.gateway import QUEUES

# Seconds between two looks at what is open.
_LOOK: Final = 0.5
# Seconds by which a task in a dead worker's hands is made older: more than any visibility timeout.
_LONG_AGO: Final = 3600.0


class Reader:
    """Reads messages over HTTP, as a client does."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._connection = HTTPConnection("127.0.0.1", fleet.port, timeout=10)

    def read(self, name: str, *, of: str = "messages", within: float = 60.0) -> Report | None:
        """Read one message, or one `of` the batches; None when there is no record of it.

        Raises:
            OSError, HTTPException, RuntimeError: The web process did not answer as it should for so many seconds.
        """
        deadline = time.monotonic() + within
        while True:
            try:
                return self._ask(f"/v1/{of}/{name}")
            except (OSError, HTTPException, RuntimeError):
                self._connection.close()
                if time.monotonic() > deadline:
                    raise
                self._fleet.tend()
                time.sleep(0.2)

    def _ask(self, path: str) -> Report | None:
        headers = {"Authorization": f"Bearer {self._fleet.key}"}
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise RuntimeError(f"GET of a message or batch: HTTP {answer.status}")
        known: dict[str, Any] = json.loads(body)
        return known


@dataclass(frozen=True, slots=True)
class Drained:
    """How the wait for the last message ended: after how many seconds, and what was open still."""

    seconds: float
    still_open: Mapping[str, Report]

    @property
    def in_time(self) -> bool:
        return not self.still_open


def drain(fleet: Fleet, ids: Iterable[str], within: float, say: Callable[[str], None]) -> Drained:
    """Wait until every message is final, for at most `within` seconds."""
    reader, began, spoke = Reader(fleet), time.monotonic(), time.monotonic()
    waiting = still_open(reader, ids)
    while waiting and time.monotonic() - began < within:
        if time.monotonic() - spoke > 5:
            spoke = time.monotonic()
            say(f"draining: {len(waiting)} open after {spoke - began:.0f} s")
        time.sleep(_LOOK)
        fleet.tend()
        waiting = still_open(reader, waiting)
    return Drained(time.monotonic() - began, waiting)


def still_open(reader: Reader, ids: Iterable[str]) -> dict[str, Report]:
    """Read those that are not final. A missing record will not come back: there is nothing to wait for."""
    reports = {one: reader.read(one) for one in ids}
    return {one: report for one, report in reports.items() if report is not None and not is_final(report)}


def hand_out_late_tasks(fleet: Fleet, within: float = 45.0) -> bool:
    """Have every task that a dead worker held come again now, and wait until all are worked off.

    Redis would do so when the visibility timeout is over; a task that comes after its message has ended must send
    nothing, and a count before it came would not show it. Gives False when some are left.
    """
    store = fleet.redis
    deadline, quiet = time.monotonic() + within, 0
    while quiet < 3 and time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            held = [str(tag) for tag in store.zrange("unacked_index", 0, -1)]
            if held:
                store.zadd("unacked_index", dict.fromkeys(held, time.time() - _LONG_AGO), xx=True)
            busy = bool(held) or any(store.llen(queue) for queue in QUEUES)
            quiet = 0 if busy else quiet + 1
        fleet.tend()
        time.sleep(_LOOK)
    return quiet >= 3


def read_all(fleet: Fleet, ids: Iterable[str]) -> dict[str, Report | None]:
    reader = Reader(fleet)
    return {one: reader.read(one) for one in ids}


def read_batch(fleet: Fleet, batch_id: str, ids: Iterable[str], tries: int = 5) -> tuple[Report | None, Counter[str]]:
    """Read a batch, and the states of its rows by themselves, at a moment in which none of them moves."""
    reader, rows = Reader(fleet), list(ids)
    told = reader.read(batch_id, of="batches")
    for _ in range(tries):
        before, reports = told, [reader.read(one) for one in rows]
        told = reader.read(batch_id, of="batches")
        if told == before:
            break
    return told, Counter("missing" if report is None else report["state"] for report in reports)

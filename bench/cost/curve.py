"""One size of the curve: so many messages queued, drained, read; as many dead letters listed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import redis

from bench.cost.stage import REFUSED, Stage, stage, wait_for
from bench.cost.weight import stored
from bench.drain import standing
from bench.system import resident
from smsgate.ledger import keys

_WARM: Final = 200
_QUERIES: Final = 200
_PAGES: Final = 50
# Messages a second below which it is given up.
_SLOWEST: Final = 1000
# A million dead letters took five minutes more, and their curve is as straight without them.
_MOST_DEAD: Final = 100_000
_LEAST_WAIT: Final = 60.0


@dataclass(frozen=True, slots=True)
class Point:
    """What one size has cost: seconds in all, milliseconds for one answer, bytes for each message, MiB of processes.

    Of the largest size there are no dead letters.
    """

    size: int
    enqueue: float
    drain: float
    status: float
    queued_bytes: float
    sent_bytes: float
    web_memory: float
    worker_memory: float
    bury: float | None = None
    page: float | None = None
    dead_bytes: float | None = None


def measure(size: int) -> Point:
    """Take one size."""
    with stage() as system:
        empty = _warm(system)
        with standing(system.worker):
            enqueue = system.upload(size)
            queued = (stored(system.redis) - empty) / size
            status = system.typical(_messages(system.redis))
        drain = wait_for(lambda: system.redis.zcard(keys.SILENT), _WARM + size, _longest(size))
        sent = (stored(system.redis) - empty) / size
        web, worker = (resident(pid) / 2**20 for pid in (system.web, system.worker))
        dead = _dead(system, size) if size <= _MOST_DEAD else ()
    return Point(size, enqueue, drain, status, queued, sent, web, worker, *dead)


def _dead(system: Stage, size: int) -> tuple[float, float, float]:
    """Let as many messages die; gives the seconds, the milliseconds of a page, and the bytes for each."""
    # What was sent before stays: a list of dead letters is read beside everything else that a Redis holds.
    empty = stored(system.redis)
    with standing(system.worker):
        system.upload(size, REFUSED)
    bury = wait_for(lambda: system.redis.zcard(keys.DEAD), size, _longest(size))
    page = system.typical(repeat("/v1/dead-letters?limit=50", _PAGES))
    return bury, page, (stored(system.redis) - empty) / size


def _warm(system: Stage) -> int:
    """Send the first messages; gives the bytes that are stored before the others."""
    system.upload(_WARM)
    wait_for(lambda: system.redis.zcard(keys.SILENT), _WARM, _LEAST_WAIT)
    return stored(system.redis)


def _longest(size: int) -> float:
    return _LEAST_WAIT + size / _SLOWEST


def _messages(client: redis.Redis) -> Iterator[str]:
    """Name messages by chance."""
    found: set[str] = set()
    while len(found) < _QUERIES:
        key = str(client.randomkey())
        if key.startswith(keys.RECORD_OF):
            found.add(key.removeprefix(keys.RECORD_OF))
    chosen = sorted(found)
    random.shuffle(chosen)
    return (f"/v1/messages/{one}" for one in chosen)

"""How fast messages go in, and out to the provider, while nothing breaks."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import redis

from bench.drain import standing
from bench.peers.contender import Contender, Field, Running, accepted, warm
from bench.system import until

_WARM: Final = 16
_FIRST: Final = 50
_LONGEST: Final = 60.0
# Seconds after which a slow one's rate is known.
_ENOUGH: Final = 6.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second."""

    enqueued: float
    drained: float


def rates(contender: Contender, ground: Field, amounts: Mapping[int, int]) -> Iterator[tuple[int, Rates]]:
    """Fill a queue while its worker stands still, then let it go on: for each latency of the provider so many."""
    redis.Redis.from_url(ground.redis_url).flushall()
    ground.provider.clear()
    with ExitStack() as stack:
        for command in contender.beside(ground):
            stack.enter_context(Running(command))
        worker = stack.enter_context(Running(contender.worker(ground)))
        warm(contender, ground, worker, _WARM)
        for latency, amount in amounts.items():
            ground.provider.clear_faults()
            if latency:
                ground.provider.fault(kind="latency", ms=latency)
            yield latency, _measured(contender, ground, worker, max(60, int(amount * contender.pace)))


def _measured(contender: Contender, ground: Field, worker: Running, amount: int) -> Rates:
    with standing(worker.pid):
        enqueued = contender.enqueue(ground, amount)
        # What a slow one has left of the messages before stands in its queue still, and counts like these.
        before = accepted(ground.provider)
    return Rates(enqueued, _drained(ground, before, amount))


def _drained(ground: Field, before: int, amount: int) -> float:
    """Watch the provider take so many, for some seconds.

    The first ones are left out, so that no start is in it; so is the last twentieth, as what gathers messages waits
    for more of them at the end.
    """

    def taken() -> int:
        return accepted(ground.provider) - before

    until(lambda: taken() >= min(_FIRST, amount // 10), "the worker goes on", _LONGEST, 0.005)
    began, first, enough = time.perf_counter(), taken(), amount - amount // 20
    while (done := taken()) < enough and time.perf_counter() - began < _ENOUGH:
        time.sleep(0.01)
    return (done - first) / (time.perf_counter() - began)

"""How fast messages go in, and out to the provider, while nothing breaks."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import redis

from bench.peers.contender import Contender, Field, Running, accepted, family, warm
from bench.system import until

_WARM: Final = 16
_FIRST: Final = 50
_LONGEST: Final = 60.0
# Seconds after which a slow one's rate is known.
_ENOUGH: Final = 12.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages a second."""

    enqueued: float
    drained: float


def rates(contender: Contender, ground: Field, amount: int) -> Rates:
    """Fill a queue while its worker stands still, then let it go on."""
    redis.Redis.from_url(ground.redis_url).flushall()
    ground.provider.clear()
    amount = max(60, int(amount * contender.pace))
    with ExitStack() as stack:
        for command in contender.beside(ground):
            stack.enter_context(Running(command))
        worker = stack.enter_context(Running(contender.worker(ground)))
        warm(contender, ground, _WARM)
        with standing(worker.pid):
            enqueued = contender.enqueue(ground, amount)
        return Rates(enqueued, _drained(ground, amount))


def _drained(ground: Field, amount: int) -> float:
    """Watch the provider take so many, for some seconds; the first ones are left out, so that no start is in it."""

    def taken() -> int:
        return accepted(ground.provider) - _WARM

    until(lambda: taken() >= min(_FIRST, amount // 10), "the worker goes on", _LONGEST, 0.005)
    began, first = time.perf_counter(), taken()
    while (done := taken()) < amount and time.perf_counter() - began < _ENOUGH:
        time.sleep(0.01)
    return (done - first) / (time.perf_counter() - began)


@contextmanager
def standing(pid: int) -> Iterator[None]:
    """Let a process and all that come of it stand still within the block."""
    everyone = family(pid)
    for each in everyone:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(everyone):
            os.kill(each, signal.SIGCONT)

"""The gateway among its peers: each message by itself, those that leave together, and a batch."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from bench import orders
from bench.deliver import CONCURRENCY
from bench.peers.contender import Command, Contender, Field
from bench.system import Gateway, gateway, line

SINGLE: Final = "ours, each by itself"
TOGETHER: Final = "ours, leaving together"
# What takes up the messages of a killed worker.
_BESIDE: Final = ("receipts", "questions")


def ours() -> list[Contender]:
    """Name our two ways to the provider."""
    both = partial(Contender, side_by_side=f"{CONCURRENCY} threads", beside=_beside, from_here=True)
    return [
        both(SINGLE, worker=_worker("otp"), enqueue=_accept(orders.otp)),
        both(TOGETHER, worker=_worker("notice"), enqueue=_accept(orders.notice), pace=20),
    ]


def _gateway(ground: Field) -> Gateway:
    # The least that a lease may be; a minute by default.
    patient = {"SMSGATE_LEASE_SECONDS": "45"} if ground.patience else {}
    return gateway(ground.redis_url, ground.provider.endpoint, **patient)


def _worker(lane: str) -> Callable[[Field], Command]:
    def command(ground: Field) -> Command:
        return Command(line(lane, n=f"{lane}@bench", concurrency=str(CONCURRENCY)), _gateway(ground).environment)

    return command


def _beside(ground: Field) -> Sequence[Command]:
    environment = _gateway(ground).environment
    others = [Command(line(name, n=f"{name}@bench"), environment) for name in _BESIDE]
    return [*others, Command(line("beat"), environment)]


def _accept(order: Callable[[], dict[str, Any]]) -> Callable[[Field, int], float]:
    def enqueue(ground: Field, amount: int) -> float:
        messages = [order() for _ in range(amount)]
        began = time.perf_counter()
        orders.accept(_gateway(ground), iter(messages))
        return amount / (time.perf_counter() - began)

    return enqueue

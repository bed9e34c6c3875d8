"""Queues that fill while their workers stand still (SIGSTOP), and how fast they drain when these go on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from bench import orders
from bench.system import Gateway, until
from smsgate.sandbox.process import SandboxProcess

LONGEST: Final = 240.0
_TENTH: Final = 0.1


@contextmanager
def standing(*pids: int) -> Iterator[None]:
    """Let processes and their children stand still within the block."""
    everyone = [each for pid in pids for each in (pid, *_offspring(pid))]
    for each in everyone:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(everyone):
            os.kill(each, signal.SIGCONT)


def _offspring(pid: int) -> list[int]:
    direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for one in direct for each in (one, *_offspring(one))]


def rate(done: Callable[[], int], count: int) -> float:
    """Watch a count grow by `count`; gives its growth in a second, the first tenth left out.

    Raises:
        TimeoutError: It does not; the text says how far it came.
    """
    start = done()
    until(lambda: done() - start >= count * _TENTH, "the work begins", LONGEST, 0.005)
    began, first = time.perf_counter(), done()
    try:
        until(lambda: done() - start >= count, "the work is done", LONGEST, 0.01)
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {done() - start:,} of {count:,} are") from None
    return (done() - first) / (time.perf_counter() - began)


def accepted(provider: SandboxProcess) -> Callable[[], int]:
    """Count at the provider, which nothing else can be blamed for."""
    session = requests.Session()
    return lambda: int(session.get(f"{provider.url}/_sandbox/stats", timeout=10).json()["messages"]["accepted"])


def sent(one: Gateway) -> Callable[[], int]:
    """Count what was sent and waits for its receipt."""
    known = one.redis
    return lambda: int(known.zcard("sms:silent"))


def upload(base: str, key: str, rows: int) -> dict[str, Any]:
    """Have a batch accepted over HTTP."""
    answer = requests.post(
        f"{base}/v1/batches?template={orders.NOTICE[0]}",
        data=orders.ndjson(rows),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"},
        timeout=600,
    )
    answer.raise_for_status()
    return dict(answer.json())

"""Scenario 10: a provider that takes far less than was declared.

An account is declared for 5,000 calls a second and takes a hundred; two workers have far more codes than that. What is
counted is what the provider took and what it refused, second by second.
"""

import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench import figures, orders
from bench.report import Report
from bench.system import Gateway, beat, gateway, redis_server, sandbox, worker
from smsgate.sandbox.process import SandboxProcess

LIMIT: Final = 100
WORKERS: Final = 2
USUAL_MS: Final = 50
SECONDS: Final = 40
# The first seconds, in which the limit is found; what comes after is the settled state.
FINDING: Final = 5
HEAD: Final = ("", "calls taken a second", "of the limit", "calls throttled", "of all calls")
NOTES: Final = (
    f"""A provider of {USUAL_MS} ms that takes {LIMIT} calls in a second of its clock and throttles the others, two
workers of 32 threads, codes enough for all of it. Declared is Aliyun's usual rate of 5,000 a second.""",
)


@dataclass(frozen=True, slots=True)
class Second:
    """What a provider did in about a second."""

    seconds: float
    taken: int
    throttled: int


def run(*, quick: bool) -> Report:
    with _working(SECONDS) as provider:
        seconds = list(_watched(provider, 15 if quick else SECONDS))
    for one in seconds:
        print(f"  {one.taken / one.seconds:.1f}/s, {one.throttled} throttled", file=sys.stderr)
    finding, settled = seconds[:FINDING], seconds[FINDING:]
    rows = [_row(f"the first {FINDING} s", finding), _row("after that", settled)]
    share = _rate(settled) / LIMIT
    aims = [
        ("of the limit, once settled", f"{share:.1%}, aim 95 to 100%: {'met' if 0.95 <= share <= 1.0 else 'SHORT'}")
    ]
    return Report("A provider that throttles", figures.table(HEAD, rows), aims, None, NOTES)


def _row(name: str, seconds: Sequence[Second]) -> tuple[str, ...]:
    throttled = sum(one.throttled for one in seconds)
    calls = throttled + sum(one.taken for one in seconds)
    rate = _rate(seconds)
    return name, f"{rate:.1f}", f"{rate / LIMIT:.0%}", f"{throttled:,}", f"{throttled / max(1, calls):.1%}"


def _rate(seconds: Sequence[Second]) -> float:
    return statistics.mean(one.taken / one.seconds for one in seconds)


def _watched(provider: SandboxProcess, count: int) -> Iterator[Second]:
    at, taken, throttled = time.monotonic(), *_counts(provider)
    for _ in range(count):
        time.sleep(1.0)
        now, more, refused = time.monotonic(), *_counts(provider)
        yield Second(now - at, more - taken, refused - throttled)
        at, taken, throttled = now, more, refused


def _counts(provider: SandboxProcess) -> tuple[int, int]:
    """Count what was accepted, and what was throttled."""
    struck = sum(one["struck"] for one in provider.faults() if one["kind"] == "throttle")
    return int(provider.stats()["messages"]["accepted"]), struck


@contextmanager
def _working(seconds: int) -> Iterator[SandboxProcess]:
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        provider = stack.enter_context(sandbox(USUAL_MS))
        one: Gateway = gateway(url, provider.endpoint)
        for number in range(WORKERS):
            stack.enter_context(worker(one, "otp", number))
        stack.enter_context(worker(one, "receipts"))
        stack.enter_context(beat(one))
        provider.fault(kind="throttle", above=LIMIT)
        orders.accept(one, (orders.otp() for _ in range(LIMIT * (seconds + 20))))
        yield provider

"""Eight processes at one limit: what they are let through together, by every algorithm."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from smsgate.gates.quota import Algorithm

pytestmark = pytest.mark.crowd

PROCESSES = 8
SECONDS = 3.0
# Told an algorithm and an allowance, each takes what it can and prints when it asked for what it got.
HAMMER = """
import json, sys, time
from smsgate.errors import LimitExceeded
from smsgate.ledger.connection import connect_briefly
from tests.ledger.limited import admit, limit, message

store, seconds, one = connect_briefly(sys.argv[1]), float(sys.argv[2]), message()
print("ready", flush=True)
for line in sys.stdin:
    algorithm, allow = line.split()
    step, passed, end = admit(store, limit("all", allow, algorithm=algorithm)), [], time.monotonic() + seconds
    while time.monotonic() < end:
        at = time.time()
        try:
            step.message(one, "shop")
            passed.append(at)
        except LimitExceeded:
            pass
    print(json.dumps(passed), flush=True)
"""


class Hammers:
    """Processes that all try the same limit at the same time."""

    def __init__(self, stack: ExitStack, url: str) -> None:
        command, root = [sys.executable, "-c", HAMMER, url, str(SECONDS)], Path(__file__).parents[2]
        self.running = [
            subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for process in self.running:
            stack.callback(process.wait)
            stack.callback(process.kill)
        assert [self._line(process) for process in self.running] == ["ready\n"] * PROCESSES

    def let_through(self, algorithm: Algorithm, allow: str) -> list[float]:
        """Give the moments at which permits were asked for that were granted."""
        for process in self.running:
            assert process.stdin is not None
            process.stdin.write(f"{algorithm} {allow}\n")
            process.stdin.flush()
        return sorted(at for process in self.running for at in json.loads(self._line(process)))

    @staticmethod
    def _line(process: "subprocess.Popen[Any]") -> str:
        assert process.stdout is not None
        return str(process.stdout.readline())


@pytest.fixture(scope="module")
def hammers(redis_url: str) -> Iterator[Hammers]:
    with ExitStack() as stack:
        yield Hammers(stack, redis_url)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_eight_processes_are_let_through_no_more_than_is_allowed(
    hammers: Hammers, store: redis.Redis, algorithm: Algorithm
) -> None:
    """In a span longer than the attack all that is allowed goes at once; by GCRA one comes back in three minutes."""
    passed = hammers.let_through(algorithm, "500/day")
    assert 500 <= len(passed) <= 500 * 1.01


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_eight_processes_are_let_through_what_comes_back_and_no_more(
    hammers: Hammers, store: redis.Redis, algorithm: Algorithm
) -> None:
    """In spans of a second, three and a bit of them."""
    passed = hammers.let_through(algorithm, "200/second")
    took = passed[-1] - passed[0]
    # Windows of the calendar may be cut by the attack at both ends; the others begin full.
    allowed = 200 * (int(took) + 2) if algorithm is Algorithm.FIXED_WINDOW else 200 * (took + 1)
    assert 200 * 2.5 <= len(passed) <= allowed * 1.01
    if algorithm is Algorithm.SLIDING_LOG:
        most = max(sum(at <= other < at + 0.98 for other in passed) for at in passed[::20])
        assert most <= 200 * 1.01

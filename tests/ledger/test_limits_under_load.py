"""Eight processes at one limit: what they are let through together, by every algorithm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from smsgate.gates.quota import Algorithm

PROCESSES = 8
SECONDS = 3.0
# Each takes what it can once all are there, and prints when it asked for what it got.
HAMMER = """
import json, sys, time
from smsgate.errors import LimitExceeded
from smsgate.ledger.connection import connect_briefly
from tests.ledger.limited import limit, message, admit

url, algorithm, allow, seconds = sys.argv[1:]
step = admit(connect_briefly(url), limit("all", allow, algorithm=algorithm))
one, passed = message(), []
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + float(seconds)
while time.monotonic() < end:
    at = time.time()
    try:
        step.message(one, "shop")
        passed.append(at)
    except LimitExceeded:
        pass
print(json.dumps(passed))
"""


def _let_through(url: str, algorithm: Algorithm, allow: str) -> list[float]:
    """Give the moments at which permits were asked for that were granted."""
    command = [sys.executable, "-c", HAMMER, url, algorithm, allow, str(SECONDS)]
    root, pipe = Path(__file__).parents[2], subprocess.PIPE
    running = [subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)]
    try:
        assert [one.stdout.readline() for one in running if one.stdout] == ["ready\n"] * PROCESSES
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        passed = [json.loads(one.communicate(timeout=60)[0]) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
    return sorted(at for some in passed for at in some)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_eight_processes_are_let_through_no_more_than_is_allowed(
    redis_url: str, store: redis.Redis, algorithm: Algorithm
) -> None:
    """In a span longer than the attack: all at once, and by GCRA what comes back during it."""
    passed = _let_through(redis_url, algorithm, "500/day")
    assert 500 <= len(passed) <= 500 * 1.01


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_eight_processes_are_let_through_what_comes_back_and_no_more(
    redis_url: str, store: redis.Redis, algorithm: Algorithm
) -> None:
    """In spans of a second, three and a bit of them."""
    passed = _let_through(redis_url, algorithm, "200/second")
    took = passed[-1] - passed[0]
    # Windows of the calendar may be cut by the attack at both ends; the others begin full.
    allowed = 200 * (int(took) + 2) if algorithm is Algorithm.FIXED_WINDOW else 200 * (took + 1)
    assert 200 * 2.5 <= len(passed) <= allowed * 1.01
    if algorithm is Algorithm.SLIDING_LOG:
        most = max(sum(at <= other < at + 0.98 for other in passed) for at in passed[::20])
        assert most <= 200 * 1.01

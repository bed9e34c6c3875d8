"""The jumping clock moves the wall clock of its own processes, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos import clock
from tests.integration.nodes import procfile
from tests.integration.nodes.janitor import Janitor
from tests.integration.nodes.process import NodeProcess, clean_environment
from tests.integration.nodes.redis_node import RedisNode
from tests.integration.nodes.until import until

pytestmark = pytest.mark.skipif(not clock.can_be_built(), reason="the jumping clock is built with gcc")

_CLOCKS = """
import datetime, multiprocessing, sys, time
held = multiprocessing.Lock()
held.acquire()
for _ in sys.stdin:
    began = time.monotonic()
    held.acquire(timeout=0.3)
    print(time.time(), datetime.datetime.now().timestamp(), time.monotonic(), time.monotonic() - began, flush=True)
"""


@pytest.fixture
def jumping(tmp_path: Path) -> clock.JumpingClock:
    return clock.JumpingClock.build(tmp_path)


@pytest.mark.parametrize("offset", [0, 90, -90])
def test_a_process_sees_its_wall_clock_jump_while_it_runs(jumping: clock.JumpingClock, offset: int) -> None:
    command = [sys.executable, "-c", _CLOCKS]
    environment = {**os.environ, **jumping.environment}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin
        assert program.stdout
        for seconds in (0, offset):
            jumping.set(seconds)
            program.stdin.write("\n")
            program.stdin.flush()
            wall, today, monotonic, waited = map(float, program.stdout.readline().split())
            assert wall == pytest.approx(time.time() + seconds, abs=5)
            assert today == pytest.approx(time.time() + seconds, abs=5)
            assert monotonic == pytest.approx(time.monotonic(), abs=5)
            assert 0.2 < waited < 5
        program.stdin.close()


def test_beat_goes_on_when_its_wall_clock_is_put_back(jumping: clock.JumpingClock, tmp_path: Path) -> None:
    """By the wall's clock nobody would look after lost and late messages for an hour."""
    with Janitor() as janitor:
        redis_node = RedisNode.start(tmp_path, janitor)
        settings = {"SMSGATE_REDIS_URL": redis_node.url, **jumping.environment}
        beat = NodeProcess("beat", procfile.line("beat"), clean_environment(**settings), tmp_path, janitor)
        try:
            until(redis_node.ready, "Redis is ready")
            store = redis_node.connect()
            beat.start()
            until(lambda: store.llen("sms.chores"), "beat asks for chores")
            for seconds in (-3600, 0, 3600, 0):
                jumping.set(seconds)
                store.delete("sms.chores")
                until(lambda: store.llen("sms.chores") > 2, f"beat goes on {seconds} s off", within=10)
        finally:
            beat.end()
            redis_node.teardown()

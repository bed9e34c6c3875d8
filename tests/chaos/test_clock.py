"""The jumping clock moves the wall clock of its own processes, and nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos import clock

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

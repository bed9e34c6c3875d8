"""One process of the fleet, which may be killed and is started again as a supervisor would."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

from tests.integration.nodes.process import NodeProcess

# Seconds that a supervisor gives a worker to stop; the README asks for 45.
STOP_PATIENCE: Final = 45.0


class Member:
    """A process and what was done to it; safe to use from several threads."""

    def __init__(self, name: str, process: NodeProcess) -> None:
        self.name = name
        self.toll: Counter[str] = Counter()
        self.slowest_stop = 0.0  # seconds
        self._process = process
        self._lock = threading.Lock()
        self._wanted = True

    def kill(self, away: float = 0.0) -> None:
        """Kill the whole group; start it again after `away` seconds."""
        with self._lock:
            self._process.end()
            self.toll["killed"] += 1
            time.sleep(away)
            self._start()

    def has_children(self) -> bool:
        """Say whether it has a pool of processes by now."""
        return bool(_children(self._process.pid))

    def kill_child(self, rng: Random) -> None:
        """Kill one process of its pool, where it has one by now."""
        with self._lock:
            children = _children(self._process.pid)
            if children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(children), signal.SIGKILL)
                    self.toll["children killed"] += 1

    def restart(self, patience: float = STOP_PATIENCE) -> None:
        """Stop it as a supervisor does: kill it where it takes longer than it may."""
        with self._lock:
            if self._process.status == "running":
                self._process.kill("SIGTERM")
                self.toll["restarted"] += 1
                began = time.monotonic()
                try:
                    self._process.wait(patience)
                except subprocess.TimeoutExpired:
                    self.toll["did not stop"] += 1
                self.slowest_stop = max(self.slowest_stop, time.monotonic() - began)
            self._process.end()
            self._start()

    def tend(self) -> None:
        """Start it again if it has ended by itself, unless somebody is at it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._wanted and self._process.status != "running":
                self.toll["ended by itself"] += 1
                self._process.end()
                self._start()
        finally:
            self._lock.release()

    def end(self) -> None:
        """End it for good."""
        with self._lock:
            self._wanted = False
            self._process.end()

    def _start(self) -> None:
        """Start it, unless the fleet has been taken down meanwhile."""
        if self._wanted:
            self._process.start()


def _children(pid: int | None) -> list[int]:
    if pid is None:
        return []
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []

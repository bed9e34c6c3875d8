"""Start the processes of a plan, notice when one ends, and stop them all, Redis last.

A Procfile runner stops everything at once, and workers whose Redis is gone cannot hand back what they hold.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from smsgate.local.state import HERE

# Seconds to end by itself; a worker in the middle of a call to the provider needs the call's time.
GRACE: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1


class Processes:
    """The running processes, by name; the output of each goes to `.smsgate/log/NAME.log`."""

    def __init__(self, commands: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._commands = commands
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name, command in self._commands.items():
            with log_file(name).open("wb") as log:
                self._running[name] = subprocess.Popen(  # noqa: S603 - a line of the user's own Procfile
                    ["/bin/sh", "-c", command],
                    env=dict(self._environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
                )

    def ended(self) -> str | None:
        """Name a process that has ended, None while all are running."""
        return next((name for name, process in self._running.items() if process.poll() is not None), None)

    def stop(self) -> list[str]:
        """Stop all; names those that had to be killed."""
        first = [name for name in self._running if name != "redis"]
        killed = [*self._stop(first), *self._stop(["redis"] if "redis" in self._running else [])]
        self._running.clear()
        return killed

    def _stop(self, names: list[str]) -> list[str]:
        for name in names:
            # The leader alone: a Celery parent ends its children itself, a signal to both would cut them off.
            if self._running[name].poll() is None:
                self._running[name].terminate()
        deadline = time.monotonic() + GRACE
        late = [name for name in names if not _ended_by(self._running[name], deadline)]
        for name in names:
            _kill_group(self._running[name].pid)
            self._running[name].wait()
        return late


def log_file(name: str) -> Path:
    return HERE / "log" / f"{name}.log"


def last_lines(name: str, count: int = 15) -> str:
    """Read the end of a process's log; of one that is not ours to start there is none."""
    if not log_file(name).exists():
        return f"{name} was not started here; check its setting."
    return "\n".join(log_file(name).read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def _ended_by(process: "subprocess.Popen[bytes]", deadline: float) -> bool:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(leader: int) -> None:
    """End whatever is left of a process and its children."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    """Ask the kernel to end this process when `smsgate up` is killed and can stop nobody."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

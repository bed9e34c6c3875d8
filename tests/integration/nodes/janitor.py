"""Ends the processes of a test run that could not end them itself, because it was killed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self


class Janitor:
    """A small process that knows the groups to end once this process, at the other end of its stdin, is gone."""

    def __enter__(self) -> Self:
        # Threads start and end processes too, and a line must reach the other end whole.
        self._one_at_a_time = threading.Lock()
        self._child = subprocess.Popen(
            [sys.executable, "-I", __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._child.communicate()

    def watch(self, group: int) -> None:
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}")

    def _tell(self, line: str) -> None:
        assert self._child.stdin is not None
        with self._one_at_a_time:
            self._child.stdin.write(f"{line}\n")
            self._child.stdin.flush()


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()

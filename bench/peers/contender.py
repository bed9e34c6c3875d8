"""What takes part: a queue, how its worker is started, how messages are put into it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from bench.system import BIN, ROOT, until
from smsgate.sandbox.process import SandboxProcess

# What a worker would still do after it was measured is of no use to anyone.
_GRACE = 1.0


@dataclass(frozen=True, slots=True)
class Field:
    """One Redis and one provider; `patience` is for the seconds after which a killed worker's messages come again."""

    redis_url: str
    provider: SandboxProcess
    patience: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """How a process is started."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT


@dataclass(frozen=True, slots=True)
class Contender:
    """A queue with its worker; `beside` are processes that it needs and that are not killed.

    `enqueue` takes so many messages and gives how many went in a second. A quick one gets `pace` times as many
    messages, a slow one fewer. One that enqueues from this process, and not from one of its own, sets the environment
    of all for it, so that nothing else may be started meanwhile.
    """

    name: str
    side_by_side: str
    worker: Callable[[Field], Command]
    enqueue: Callable[[Field, int], float]
    beside: Callable[[Field], Sequence[Command]] = lambda _: ()
    pace: float = 1
    from_here: bool = False


class Running:
    """A process that can be killed with all that it has started, and started again."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("it is not running")
        return self._child.pid

    @property
    def ended(self) -> bool:
        return self._child is None or self._child.poll() is not None

    @property
    def said(self) -> str:
        """The end of what it has written."""
        self._log.seek(max(0, self._log.tell() - 2000))
        return self._log.read().decode(errors="replace")

    def start(self) -> None:
        words, environment = self._command.words, self._command.environment
        path = os.pathsep.join((environment.get("PATH", ""), str(BIN), os.environ["PATH"])).lstrip(os.pathsep)
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": self._log, "stderr": self._log}
        self._child = subprocess.Popen(
            words,
            env={**os.environ, **environment, "PATH": path},
            cwd=self._command.folder,
            start_new_session=True,
            **options,
        )

    def kill(self) -> None:
        """End it as a crash of its machine does: everything that it has started goes at once."""
        for pid in family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._child:
            self._child.wait()
        self._child = None

    def stop(self) -> None:
        if self._child is None:
            return
        if self._child.poll() is not None:
            sys.stderr.write(f"{self._command.words[0]} ended by itself: {self.said}\n")
        everyone = family(self.pid)
        self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE)
        for pid in everyone:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._child.wait()
        self._child = None


def family(pid: int) -> list[int]:
    """List a process and all that come of it."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    children = path.read_text(encoding="ascii").split() if path.exists() else []
    return [pid, *(each for child in children for each in family(int(child)))]


def warm(contender: Contender, ground: Field, worker: Running, amount: int) -> None:
    """Wait until a contender has sent its first messages: its worker is up, its connections are open.

    Raises:
        RuntimeError: Its worker has ended.
        TimeoutError: It has not, within 90 s.
    """
    before = accepted(ground.provider)
    contender.enqueue(ground, amount)

    def sent() -> bool:
        if worker.ended:
            raise RuntimeError(f"the worker of {contender.name} ended by itself\n{worker.said}")
        return accepted(ground.provider) - before >= amount

    until(sent, f"{contender.name} has sent its first messages", 90)


def accepted(provider: SandboxProcess) -> int:
    """Count the messages that the provider has taken, those sent twice too."""
    return int(provider.stats()["messages"]["accepted"])

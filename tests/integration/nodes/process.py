"""A process that answers like a Docker container, as far as pytest-celery asks."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.integration.nodes.janitor import Janitor

# What a node takes over from the environment of the tests. No proxies, no settings, no credentials.
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")


def free_port() -> int:
    """Find a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(**settings: str) -> dict[str, str]:
    """Give the environment of a new login with our programs on its path, and these settings.

    Each message leaves by itself, unless a test says otherwise.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**inherited, "PATH": path, "PYTHONUNBUFFERED": "1", "SMSGATE_GATHER_SECONDS": "0", **settings}


@dataclass(slots=True)
class NodeProcess:
    """A process group, and its output since its last start."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    janitor: Janitor
    port: int | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    starts: int = 0
    _leader: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.starts += 1
        with self._log(self.starts).open("wb") as log:
            self._leader = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.janitor.watch(self._leader.pid)

    @property
    def status(self) -> str:
        return "running" if self._leader is not None and self._leader.poll() is None else "exited"

    @property
    def pid(self) -> int | None:
        """The leader's process id, which is its group's; None before the start and after the end."""
        return None if self._leader is None else self._leader.pid

    @property
    def attrs(self) -> dict[str, Any]:
        """Describe it as `docker inspect` would; the port outside is the port inside."""
        ports = {f"{self.port}/tcp": [{"HostPort": str(self.port)}]} if self.port else {}
        environment = [f"{name}={value}" for name, value in self.environment.items()]
        return {
            "Config": {"Hostname": "127.0.0.1", "Env": environment},
            "HostConfig": {"PortBindings": {}},
            "NetworkSettings": {"Networks": {}, "Ports": ports},
        }

    def reload(self) -> None:
        """Nothing to do: `status` always asks the system."""

    def logs(self) -> bytes:
        """Read the output since the last start, so that an earlier run's `ready` is not taken for this one's."""
        return self._log(self.starts).read_bytes()

    def every_log(self) -> bytes:
        return b"".join(self._log(number).read_bytes() for number in range(1, self.starts + 1))

    def exec_run(self, command: str) -> tuple[int, bytes]:
        """Run a command where the node runs."""
        done = subprocess.run(
            shlex.split(command), cwd=self.folder, env=dict(self.environment), capture_output=True, check=False
        )
        return done.returncode, done.stdout

    def kill(self, signal: str | int | None = None) -> None:
        """Send a signal to the leader, as `docker kill`; SIGKILL ends the whole group, as a container's would."""
        assert self._leader is not None
        number = _number(signal)
        if number == _SIGKILL:
            self.end()
        else:
            self._leader.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Wait until the leader has ended by itself; gives its exit status."""
        assert self._leader is not None
        return self._leader.wait(timeout)

    def restart(self, timeout: float = 10) -> None:
        """Stop as `docker restart`: SIGTERM, then SIGKILL after `timeout` seconds; then start."""
        if self._leader is not None and self.status == "running":
            self._leader.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._leader.wait(timeout)
        self.end()
        self.start()

    def end(self) -> None:
        """End the group at once, whatever state it is in."""
        if self._leader is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._leader.pid, _SIGKILL)
        self._leader.wait()
        self.janitor.forget(self._leader.pid)
        self._leader = None

    def _log(self, number: int) -> Path:
        return self.folder / f"{self.name}.{number}.log"


_SIGKILL: Final = signal.SIGKILL


def _number(wanted: str | int | None) -> int:
    if isinstance(wanted, str):
        return signal.Signals[wanted]
    return _SIGKILL if wanted is None else wanted

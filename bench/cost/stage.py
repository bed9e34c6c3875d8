"""A gateway to weigh and time, and what is done to it."""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
import requests

from bench import orders
from bench.system import Gateway, beat, free_port, gateway, line, process, redis_server, sandbox, until, worker

# Refused by the provider, as it knows none of that name; each message becomes a dead letter.
REFUSED: Final = "SMS_100000000"
# Two clients side by side, and rows in one upload.
_CLIENTS: Final = 2
_ROWS: Final = 50_000
# A lane whose messages all die would be paused; here that is what is asked for.
_NO_BRAKE: Final = {"SMSGATE_BRAKE_LEAST": "1000000000"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A running gateway: its web process, a lane's worker, and who sees to the chores."""

    gateway: Gateway
    base: str
    key: str
    web: int
    worker: int

    @property
    def redis(self) -> redis.Redis:
        return self.gateway.redis

    def upload(self, rows: int, template: str = orders.NOTICE[0]) -> float:
        """Have rows accepted in batches; gives the seconds that it took."""
        sizes = [min(_ROWS, rows - start) for start in range(0, rows, _ROWS)]
        bodies = [orders.ndjson(size) for size in sizes]
        began = time.perf_counter()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            list(pool.map(lambda body: self._upload(body, template), bodies))
        return time.perf_counter() - began

    def _upload(self, body: bytes, template: str) -> None:
        requests.post(
            f"{self.base}/v1/batches?template={template}",
            data=body,
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/x-ndjson"},
            timeout=600,
        ).raise_for_status()

    def typical(self, paths: Iterator[str]) -> float:
        """Give the median of how many milliseconds each GET takes."""
        took = []
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.key}"
            for path in paths:
                began = time.perf_counter()
                session.get(f"{self.base}{path}", timeout=60).raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
        return statistics.median(took)


@contextmanager
def stage(lane: str = "bulk", *, reports: bool = False) -> Iterator[Stage]:
    """Run a gateway; with `reports` the provider pushes a receipt for each message, and messages come to an end."""
    with ExitStack() as stack:
        enter: Callable[[Any], Any] = stack.enter_context
        url, provider = enter(redis_server()), enter(sandbox(report_delay=0.1))
        one = gateway(url, provider.endpoint, **_NO_BRAKE)
        pid, base = enter(_web(one))
        if reports:
            secret = one.environment["SMSGATE_CALLBACK_SECRET"]
            provider.callbacks(report_url=f"{base}/callbacks/aliyun/{secret}/sms-report")
        sender = enter(worker(one, lane))
        enter(worker(one, "receipts"))
        enter(beat(one))
        yield Stage(one, base, one.key(), pid, sender)


@contextmanager
def _web(one: Gateway) -> Iterator[tuple[int, str]]:
    """Run the web process; gives its pid and its base URL."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(f"{base}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    with process(line("web"), {**one.environment, "SMSGATE_HTTP_PORT": str(port)}) as pid:
        until(answers, "the web process answers")
        yield pid, base


def wait_for(count: Callable[[], int], goal: int, longest: float) -> float:
    """Wait until a count has come so far; gives the seconds.

    Raises:
        TimeoutError: It has not, within the longest time.
    """
    began = time.perf_counter()
    while (known := count()) < goal:
        if time.perf_counter() - began > longest:
            raise TimeoutError(f"{known:,} of {goal:,} after {longest:.0f} s")
        time.sleep(0.02)
    return time.perf_counter() - began

"""Scenario 2: messages a second from the queue to the provider.

Workers stand still (SIGSTOP) while messages are accepted, then go on; counted from the first tenth on, so that no start
is in it. The yardsticks run the same SDK against the same provider in the same minute: a loop of threads, and the task
that people write, with a pool of processes as Celery's documentation has it.
"""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from bench import figures, orders, plot
from bench.gaps import Gaps
from bench.report import Report
from bench.system import BIN, Gateway, beat, gateway, process, redis_server, resident, sandbox, until, web, worker
from smsgate.sandbox.process import SandboxProcess

LATENCIES: Final = (0, 50, 200)
# Threads or processes that call the provider side by side, in every row.
CONCURRENCY: Final = 8
BARE, SINGLE, BULK = "bare SDK loop", "ours, single", "ours, bulk"
_TENTH: Final = 0.1
_LONGEST: Final = 240.0
Cells = Mapping[tuple[str, int], figures.Figure]


def run(*, quick: bool) -> Report:
    runs, latencies = (1, (50,)) if quick else (3, LATENCIES)
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    gaps = Gaps()
    for latency in latencies:
        for _ in range(runs):
            _one_run(latency, found, gaps, quick=quick)
    names = list(dict.fromkeys(name for name, _ in found))
    cells = {(name, latency): figures.of(found[name, latency]) for name in names for latency in latencies}
    rows = [(name, *(cells[name, latency] for latency in latencies)) for name in names]
    head = ("messages a second to a provider of", *(f"{latency} ms" for latency in latencies))
    middle = latencies[len(latencies) // 2]
    drawn = {name: cells[name, middle].median for name in names}
    return Report(
        "Delivery",
        figures.table(head, rows),
        _aims(cells, latencies),
        lambda path: plot.bars(path, f"Delivery to a provider of {middle} ms", "messages a second", drawn),
        (f"{CONCURRENCY} calls side by side in every row and process; median of {runs} (least to most).",),
        gaps.note,
    )


def _aims(cells: Cells, latencies: Sequence[int]) -> list[tuple[str, str]]:
    aims = []
    for latency in latencies:
        loop, single, bulk = (cells[name, latency].median for name in (BARE, SINGLE, BULK))
        aims.append((f"single against the bare loop, {latency} ms", figures.ratio(single, loop, 0.7)))
        aims.append((f"bulk against single, {latency} ms", figures.ratio(bulk, single, 20)))
    return aims


def _one_run(latency: int, found: dict[tuple[str, int], list[float]], gaps: Gaps, *, quick: bool) -> None:
    """Measure every row once, on one Redis and one provider."""
    with redis_server() as url, sandbox(latency) as provider:
        for name, measure in _rows(url, provider, _count(latency, quick=quick), quick=quick):
            with gaps.allowed(f"{name}, {latency} ms"):
                found[name, latency].append(measure())
                print(f"  {latency} ms {name}: {found[name, latency][-1]:,.0f}/s", file=sys.stderr)


def _rows(url: str, provider: SandboxProcess, count: int, *, quick: bool) -> list[tuple[str, Callable[[], float]]]:
    one, gathered, rows = gateway(url, provider.endpoint), min(20 * count, 20_000), min(50 * count, 50_000)
    more = [
        (f"{SINGLE}, 2 processes", lambda: single(one, count, 2)),
        (f"{SINGLE}, 4 processes", lambda: single(one, count, 4)),
        (f"{BULK}, 2 processes", lambda: bulk(one, rows, 2)),
    ]
    return [
        (BARE, lambda: bare(provider, count)),
        ("plain Celery task (prefork)", lambda: plain(url, provider, count)),
        (SINGLE, lambda: single(one, count, 1)),
        ("ours, leaving together", lambda: together(one, gathered)),
        (BULK, lambda: bulk(one, rows, 1)),
        *(() if quick else more),
    ]


def _count(latency: int, *, quick: bool) -> int:
    """Choose how many messages take some ten seconds."""
    return {0: 3000, 50: 1500, 200: 400}[latency] // (5 if quick else 1)


_BARE: Final = """
import logging, os, sys, time
from concurrent.futures import ThreadPoolExecutor
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_dysmsapi20170525.models import SendSmsRequest
from alibabacloud_tea_openapi.utils_models import Config
logging.disable(logging.CRITICAL)
endpoint, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = Client(Config(access_key_id="testid", access_key_secret="testsecret", endpoint=endpoint, protocol="http"))
def send(number):
    client.send_sms(SendSmsRequest(phone_numbers=f"137{number:08d}", sign_name="阿里云短信测试",
        template_code="SMS_154950909", template_param='{"code":"123456"}', out_id=str(number)))
send(99_999_999)
with ThreadPoolExecutor(threads) as pool:
    began = time.perf_counter()
    list(pool.map(send, range(count)))
    print(count / (time.perf_counter() - began))
"""


def bare(provider: SandboxProcess, count: int, threads: int = CONCURRENCY) -> float:
    """Call the SDK in a loop of threads, with nothing round it."""
    command = [sys.executable, "-c", _BARE, provider.endpoint, str(count), str(threads)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=_LONGEST).stdout)


@contextmanager
def standing(*pids: int) -> Iterator[None]:
    """Let processes and their children stand still within the block."""
    everyone = [each for pid in pids for each in (pid, *_offspring(pid))]
    for each in everyone:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(everyone):
            os.kill(each, signal.SIGCONT)


def _offspring(pid: int) -> list[int]:
    direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for one in direct for each in (one, *_offspring(one))]


def rate(done: Callable[[], int], count: int) -> float:
    """Watch a count grow by `count`; gives its growth in a second, the first tenth left out."""
    start = done()
    until(lambda: done() - start >= count * _TENTH, "the work begins", _LONGEST, 0.005)
    began, first = time.perf_counter(), done()
    until(lambda: done() - start >= count, "the work is done", _LONGEST, 0.01)
    return (done() - first) / (time.perf_counter() - began)


def accepted(provider: SandboxProcess) -> Callable[[], int]:
    """Count at the provider, which nothing else can be blamed for."""
    session = requests.Session()
    return lambda: int(session.get(f"{provider.url}/_sandbox/stats", timeout=10).json()["messages"]["accepted"])


def sent(one: Gateway) -> Callable[[], int]:
    """Count what was sent and waits for its receipt."""
    known = one.redis
    return lambda: int(known.zcard("sms:silent"))


def plain(url: str, provider: SandboxProcess, count: int) -> float:
    """Drain the task that people write: it calls the SDK, Celery's defaults, a pool of processes."""
    environment = {"PLAIN_BROKER": url, "PLAIN_ENDPOINT": provider.endpoint}
    command = [
        str(BIN / "celery"),
        "-A",
        "bench.plain",
        "worker",
        "--concurrency",
        str(CONCURRENCY),
        "--loglevel",
        "WARNING",
    ]
    with process(command, environment) as pid:
        os.environ.update(environment)
        from bench.plain import app, send  # noqa: PLC0415 - it reads the environment

        app.conf.update(broker_url=url)
        send.delay("13700000000")
        done = accepted(provider)
        start = done()
        until(lambda: done() > start, "the plain worker is ready", pause=0.1)
        with standing(pid):
            for number in range(count):
                send.delay(f"137{number:08d}")
        return rate(done, count)


def single(one: Gateway, count: int, processes: int) -> float:
    """Drain codes, each by itself."""
    one.redis.flushall()
    with ExitStack() as stack:
        pids = [
            stack.enter_context(worker(one, "otp", number, concurrency=str(CONCURRENCY))) for number in range(processes)
        ]
        orders.accept(one, (orders.otp() for _ in range(8 * processes)))
        until(lambda: sent(one)() >= 8 * processes, "the workers are warm")
        with standing(*pids):
            orders.accept(one, (orders.otp() for _ in range(count)))
        found = rate(sent(one), count)
        print(f"    a worker holds {max(map(resident, pids)) / 2**20:.0f} MiB", file=sys.stderr)
        return found


def together(one: Gateway, count: int) -> float:
    """Drain notices that were accepted one by one."""
    one.redis.flushall()
    with worker(one, "notice", concurrency=str(CONCURRENCY)) as pid, worker(one, "receipts"), beat(one):
        orders.accept(one, (orders.notice() for _ in range(10)))
        until(lambda: sent(one)() >= 10, "the worker is warm")
        with standing(pid):
            orders.accept(one, (orders.notice() for _ in range(count)))
        return rate(sent(one), count)


def bulk(one: Gateway, rows: int, processes: int) -> float:
    """Drain the rows of a batch."""
    one.redis.flushall()
    with ExitStack() as stack:
        base = stack.enter_context(web(one))
        pids = [
            stack.enter_context(worker(one, "bulk", number, concurrency=str(CONCURRENCY)))
            for number in range(processes)
        ]
        stack.enter_context(worker(one, "receipts"))
        stack.enter_context(beat(one))
        key = one.key()
        upload(base, key, 200)
        until(lambda: sent(one)() >= 200, "the workers are warm")
        with standing(*pids):
            upload(base, key, rows)
        return rate(sent(one), rows)


def upload(base: str, key: str, rows: int) -> dict[str, Any]:
    """Have a batch accepted over HTTP."""
    answer = requests.post(
        f"{base}/v1/batches?template={orders.NOTICE[0]}",
        data=orders.ndjson(rows),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"},
        timeout=600,
    )
    answer.raise_for_status()
    return dict(answer.json())

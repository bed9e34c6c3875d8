"""Scenario 2: messages a second from the queue to the provider.

Workers stand still (SIGSTOP) while messages are accepted, then go on; counted from the first tenth on, so that no start
is in it. The yardsticks run the same SDK against the same provider in the same minute: a loop of threads, and the task
that people write, with a pool of processes as Celery's documentation has it.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from celery import Celery

from bench import figures, orders, plot
from bench.drain import LONGEST, accepted, rate, sent, standing, upload
from bench.gaps import Gaps
from bench.plain import send
from bench.report import Report
from bench.system import BIN, Gateway, beat, gateway, process, redis_server, resident, sandbox, until, web, worker
from smsgate.sandbox.process import SandboxProcess

LATENCIES: Final = (0, 50, 200)
# Threads or processes that call the provider side by side, in every row.
CONCURRENCY: Final = 8
BARE, SINGLE, BULK = "bare SDK loop", "ours, single", "ours, bulk"
# Messages by themselves that take a few seconds at each latency; of those that leave together many times as many.
_AMOUNTS: Final = {0: 1500, 50: 700, 200: 200}
_MOST: Final = 50_000
Cells = Mapping[tuple[str, int], figures.Figure]
# For each latency how many messages; and how many of them were sent in a second.
Steps = Iterator[tuple[int, int]]
Row = Iterator[tuple[int, float]]


def run(*, quick: bool) -> Report:
    runs, latencies = (1, (50,)) if quick else (3, LATENCIES)
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    gaps = Gaps()
    for _ in range(runs):
        _one_run(latencies, found, gaps, quick=quick)
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


def _one_run(latencies: Sequence[int], found: dict[tuple[str, int], list[float]], gaps: Gaps, *, quick: bool) -> None:
    """Measure every row once, on one Redis and one provider."""
    with redis_server() as url, sandbox() as provider:
        for name, row in _rows(url, provider, latencies, quick=quick):
            with gaps.allowed(name):
                for latency, found_rate in row():
                    found[name, latency].append(found_rate)
                    print(f"  {latency} ms {name}: {found_rate:,.0f}/s", file=sys.stderr)


def _rows(
    url: str, provider: SandboxProcess, latencies: Sequence[int], *, quick: bool
) -> list[tuple[str, Callable[[], Row]]]:
    one = gateway(url, provider.endpoint)

    def steps(times: int = 1, some: Sequence[int] = latencies) -> Steps:
        return _steps(provider, some, times / 5 if quick else times)

    quickest = latencies[:2]
    more: list[tuple[str, Callable[[], Row]]] = [
        (f"{name}, {processes} processes", row)
        for processes in (2, 4)
        for name, row in (
            (SINGLE, partial(single, one, steps(some=quickest), processes)),
            (BULK, partial(bulk, one, steps(25, quickest), processes)),
        )
    ]
    return [
        (BARE, lambda: bare(provider, steps())),
        ("plain Celery task (prefork)", lambda: plain(url, provider, steps())),
        (SINGLE, lambda: single(one, steps(), 1)),
        ("ours, leaving together", lambda: together(one, steps(12))),
        (BULK, lambda: bulk(one, steps(25), 1)),
        *(() if quick else more),
    ]


def _steps(provider: SandboxProcess, latencies: Sequence[int], times: float) -> Steps:
    """Let the provider take so long, and give how many messages take some seconds; then the next latency."""
    for latency in latencies:
        provider.clear_faults()
        if latency:
            provider.fault(kind="latency", ms=latency)
        yield latency, min(int(_AMOUNTS[latency] * times), _MOST)
    provider.clear_faults()


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


def bare(provider: SandboxProcess, steps: Steps) -> Row:
    """Call the SDK in a loop of threads, with nothing round it."""
    for latency, count in steps:
        command = [sys.executable, "-c", _BARE, provider.endpoint, str(count), str(CONCURRENCY)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LONGEST).stdout
        yield latency, float(said)


def plain(url: str, provider: SandboxProcess, steps: Steps) -> Row:
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
        done = accepted(provider)
        before = done()
        # Each process imports the SDK with its first message.
        _queue_plainly(url, (f"136{number:08d}" for number in range(2 * CONCURRENCY)))
        until(lambda: done() - before >= 2 * CONCURRENCY, "the plain worker is ready", pause=0.1)
        for latency, count in steps:
            with standing(pid):
                _queue_plainly(url, (f"137{number:08d}" for number in range(count)))
            yield latency, rate(done, count)


def _queue_plainly(url: str, numbers: Iterator[str]) -> None:
    with Celery(broker=url, set_as_current=False) as producer:
        for number in numbers:
            producer.send_task(send.name, (number,))


def single(one: Gateway, steps: Steps, processes: int) -> Row:
    """Drain codes, each by itself."""
    one.redis.flushall()
    with ExitStack() as stack:
        pids = [
            stack.enter_context(worker(one, "otp", number, concurrency=str(CONCURRENCY))) for number in range(processes)
        ]
        orders.accept(one, (orders.otp() for _ in range(8 * processes)))
        until(lambda: sent(one)() >= 8 * processes, "the workers are warm")
        for latency, count in steps:
            with standing(*pids):
                orders.accept(one, (orders.otp() for _ in range(count)))
            yield latency, rate(sent(one), count)
        print(f"    a worker holds {max(map(resident, pids)) / 2**20:.0f} MiB", file=sys.stderr)


def together(one: Gateway, steps: Steps) -> Row:
    """Drain notices that were accepted one by one."""
    one.redis.flushall()
    with worker(one, "notice", concurrency=str(CONCURRENCY)) as pid, worker(one, "receipts"), beat(one):
        orders.accept(one, (orders.notice() for _ in range(10)))
        until(lambda: sent(one)() >= 10, "the worker is warm")
        for latency, count in steps:
            with standing(pid):
                orders.accept(one, (orders.notice() for _ in range(count)))
            yield latency, rate(sent(one), count)


def bulk(one: Gateway, steps: Steps, processes: int) -> Row:
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
        for latency, count in steps:
            with standing(*pids):
                upload(base, key, count)
            yield latency, rate(sent(one), count)

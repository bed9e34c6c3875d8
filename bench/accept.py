"""Scenario 1: what a web process accepts in a second, and how long its client waits."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import redis
import requests

from bench import figures, orders, plot
from bench.report import Report
from bench.system import BIN, free_port, gateway, line, process, redis_server, sandbox, until, web
from bench.wrk import Load, load
from smsgate.flow.submit import task
from smsgate.message import Message, MessageId

CONNECTIONS: Final = (1, 64, 1000)
BODY: Final[dict[str, Any]] = {
    "to": "13700000000",
    "template": "SMS_154950909",
    "params": {"code": "123456"},
    "lane": "otp",
}
BARE, PLAIN, OURS = "bare Flask view, granian", "plain apply_async view, granian", "ours: POST /v1/messages"
_GTHREAD: Final = "plain apply_async view, gunicorn gthread"


def run(*, quick: bool) -> Report:
    runs, seconds, connections = (1, 2, (64,)) if quick else (3, 5, CONNECTIONS)
    found: dict[tuple[str, int], list[Load]] = defaultdict(list)
    with ExitStack() as stack:
        doors = _doors(stack, quick=quick)
        for _ in range(runs):
            for open_ in connections:
                for name, post in doors.items():
                    if "SDK" in name and open_ != 64:
                        continue
                    found[name, open_].append(post(open_, seconds))
                    print(f"  {open_} {name}: {found[name, open_][-1].rate:,.0f}/s", file=sys.stderr)
        batches, raw = _batches(stack, runs=runs, rows=20_000 if quick else 100_000)
    head = ("", *(f"{one} connections: requests/s | P50 ms | P99 ms" for one in connections))
    names = list(dict.fromkeys(name for name, _ in found))
    rows = [(name, *(_cells(found.get((name, one), ())) for one in connections)) for name in names]
    middle = {name: figures.of(one.rate for one in found[name, 64]).median for name in names}
    best = max(batches.values(), key=lambda one: one.median)
    aims = [
        (
            "single against the plain apply_async view on the same server",
            figures.ratio(middle[OURS], middle[PLAIN], 2.5),
        ),
        ("single against the bare view", figures.ratio(middle[OURS], middle[BARE], 0.33)),
        ("batch, rows a second in one process", f"{best.median:,.0f} (aim ≥ 15,000)"),
        ("batch against raw pipelined LPUSH", figures.ratio(best.median, raw.median, 0.3)),
    ]
    return Report(
        "Accepting",
        figures.table(_split(head), [_split(row) for row in rows])
        + "\n"
        + figures.table(("batch", "rows/s"), [*batches.items(), ("raw pipelined LPUSH of the same tasks", raw)]),
        aims,
        lambda path: plot.bars(path, "Accepting, 64 connections", "requests a second", middle),
        ("One web process each, of one worker; wrk with one thread; every request to a number of its own.",),
    )


def _split(cells: tuple[object, ...]) -> list[object]:
    return [part for cell in cells for part in (cell.split(" | ") if isinstance(cell, str) else [cell])]


def _cells(loads: list[Load] | tuple[()]) -> str:
    if not loads:
        return " | | "
    rate, p50, p99 = (figures.of(getattr(one, name) for one in loads) for name in ("rate", "p50", "p99"))
    return f"{rate.written} | {p50.median:.1f} | {p99.median:.1f}"


Post = Callable[[int, float], Load]


def _doors(stack: ExitStack, *, quick: bool) -> dict[str, Post]:
    """Open every door: ours, and what people write."""
    url = stack.enter_context(redis_server())
    provider = stack.enter_context(sandbox())
    one = gateway(url, provider.endpoint)
    ours = stack.enter_context(web(one))
    headers = {"Authorization": f"Bearer {one.key()}"}
    environment = {"PLAIN_BROKER": url, "PLAIN_ENDPOINT": provider.endpoint}
    granian = stack.enter_context(_granian(environment))
    gthread = stack.enter_context(_gunicorn(environment, threads=16))

    def door(address: str, known: dict[str, str]) -> Post:
        return lambda open_, seconds: load(address, BODY, known, connections=open_, seconds=seconds)

    doors = {
        BARE: door(f"{granian}/bare", {}),
        PLAIN: door(f"{granian}/queued", {}),
        _GTHREAD: door(f"{gthread}/queued", {}),
        OURS: door(f"{ours}/v1/messages", headers),
    }
    for latency in (80,) if quick else (80, 800):
        slow = stack.enter_context(sandbox(latency))
        known = environment | {"PLAIN_ENDPOINT": slow.endpoint}
        base = stack.enter_context(_gunicorn(known, threads=64))
        doors[f"the SDK in the view, provider of {latency} ms, gunicorn 64 threads"] = door(f"{base}/sync", {})
    return doors


@contextmanager
def _granian(environment: dict[str, str]) -> Iterator[str]:
    """Serve the plain views with the very options of our own web process."""
    port = free_port()
    command = line("web")
    command[-1] = command[-1].replace("smsgate.http.app:create_app", "bench.plain:view")
    with process(command, {**environment, "SMSGATE_HTTP_PORT": str(port)}):
        yield _answering(port)


@contextmanager
def _gunicorn(environment: dict[str, str], *, threads: int) -> Iterator[str]:
    port = free_port()
    command = [
        str(BIN / "gunicorn"),
        "-k",
        "gthread",
        "--threads",
        str(threads),
        "-b",
        f"127.0.0.1:{port}",
        "bench.plain:view()",
    ]
    with process(command, environment):
        yield _answering(port)


def _answering(port: int) -> str:
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.post(f"{base}/bare", json={}, timeout=1).ok
        except requests.ConnectionError:
            return False

    until(answers, "the plain web process answers")
    return base


def _batches(stack: ExitStack, *, runs: int, rows: int) -> tuple[dict[str, figures.Figure], figures.Figure]:
    """Upload batches in one request each, and push the bytes of as many tasks by hand."""
    url = stack.enter_context(redis_server())
    provider = stack.enter_context(sandbox())
    one = gateway(url, provider.endpoint)
    base = stack.enter_context(web(one))
    headers = {"Authorization": f"Bearer {one.key()}", "Content-Type": "application/x-ndjson"}
    found: dict[str, list[float]] = defaultdict(list)
    raw = []
    for _ in range(runs):
        for size in (100, 1_000, rows):
            bodies = [orders.ndjson(size) for _ in range(max(1, min(50, rows // size)))]
            began = time.perf_counter()
            with requests.Session() as session:
                for body in bodies:
                    answer = session.post(
                        f"{base}/v1/batches?template={orders.NOTICE[0]}", data=body, headers=headers, timeout=300
                    )
                    answer.raise_for_status()
            found[f"{size:,} rows a request"].append(size * len(bodies) / (time.perf_counter() - began))
        raw.append(_pushed(one.redis, rows))
        one.redis.flushdb()
        headers["Authorization"] = f"Bearer {one.key()}"
        time.sleep(6)  # the web process trusts a key that it has read for five seconds
    return {name: figures.of(values) for name, values in found.items()}, figures.of(raw)


def _pushed(known: redis.Redis, count_: int) -> float:
    """Push the bytes of tasks in pipelines of five hundred: what Redis and its client take, with nothing else."""
    message = Message.check({**orders.notice()})
    entries = [task(MessageId(f"bench-{number}"), message) for number in range(500)]
    began = time.perf_counter()
    for _ in range(count_ // 500):
        pipe = known.pipeline(transaction=False)
        for entry in entries:
            pipe.lpush("bench", entry)
        pipe.execute()
    return count_ / (time.perf_counter() - began)

"""Batches over HTTP, and the raw pushes that they are held against."""

import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

import redis
import requests

from bench import figures, orders
from bench.gaps import Gaps
from bench.system import gateway, redis_server, sandbox, web
from smsgate.flow.submit import task
from smsgate.message import Message, MessageId

RAW: Final = "raw pipelined LPUSH of the same messages' tasks"
# Two clients side by side, so that the web process is not idle while one of them reads its answer.
_CLIENTS: Final = 2
_PIPELINE: Final = 500


def uploads(gaps: Gaps, *, runs: int, rows: int) -> dict[str, figures.Figure]:
    """Upload rows in batches of several sizes, and push as many tasks by hand, in turns; rows a second."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(runs):
        with gaps.allowed("batches"):
            _one_turn(found, rows)
            print("  " + ", ".join(f"{name}: {rates[-1]:,.0f}/s" for name, rates in found.items()), file=sys.stderr)
    return {name: figures.of(values) for name, values in found.items()}


def _one_turn(found: dict[str, list[float]], rows: int) -> None:
    # A Redis of its own for each turn: none has another's records to write to its file.
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        one = gateway(url, stack.enter_context(sandbox()).endpoint)
        base = stack.enter_context(web(one))
        key = one.key()
        _rate(base, key, 100, 1_000)
        for size in (100, 1_000, rows):
            found[f"ours: POST /v1/batches, {size:,} rows each"].append(_rate(base, key, size, rows))
        found[RAW].append(_pushed(one.redis, rows))


def _rate(base: str, key: str, size: int, rows: int) -> float:
    """Upload so many rows, so many at a time, from clients that have their bodies ready."""
    bodies = [orders.ndjson(size) for _ in range(rows // size)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}

    def client(mine: list[bytes]) -> None:
        with requests.Session() as session:
            for body in mine:
                answer = session.post(
                    f"{base}/v1/batches?template={orders.NOTICE[0]}", data=body, headers=headers, timeout=300
                )
                answer.raise_for_status()
                if answer.json()["accepted"] != size:
                    raise RuntimeError(f"{answer.json()['accepted']} of {size} rows were accepted")

    began = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(client, [bodies[place::_CLIENTS] for place in range(_CLIENTS)]))
    return rows / (time.perf_counter() - began)


def _pushed(known: redis.Redis, rows: int) -> float:
    """Push the bytes of tasks in pipelines: what Redis and its client take, with nothing else."""
    entries = [task(MessageId(f"bench-{row}"), Message.check(orders.notice())) for row in range(_PIPELINE)]
    began = time.perf_counter()
    for _ in range(rows // _PIPELINE):
        pipe = known.pipeline(transaction=False)
        for entry in entries:
            pipe.lpush("bench", entry)
        pipe.execute()
    return rows / (time.perf_counter() - began)

"""Scenario 3: how long a code takes from its request to the provider, at rest, under load, and beside a campaign.

From the moment at which the request was due to the moment at which the worker had the provider's acceptance written
down: the record's own times, and the same host's clock.
"""

import statistics
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import redis

from bench import deliver, figures, orders, plot
from bench.open_loop import Sent, drive
from bench.report import Report
from bench.system import Gateway, beat, gateway, redis_server, sandbox, until, web, worker
from smsgate.ledger import keys
from smsgate.ledger.record import Record
from smsgate.message import MessageId
from smsgate.states import State

SHARES: Final = (0.1, 0.5, 0.8)
QUIET_RATE: Final = 10.0


def run(*, quick: bool) -> Report:
    seconds, flood = (5.0, 5_000) if quick else (20.0, 1_000_000)
    with ExitStack() as stack:
        url = stack.enter_context(redis_server())
        provider = stack.enter_context(sandbox())
        one = gateway(url, provider.endpoint)
        base = stack.enter_context(web(one))
        for name in ("otp", "bulk", "receipts"):
            stack.enter_context(worker(one, name))
        stack.enter_context(beat(one))
        key = one.key()
        capacity = _capacity(one, base, key)
        print(f"  capacity {capacity:,.0f}/s", file=sys.stderr)
        rows, p50s = [], {}
        for share in SHARES:
            times = _times(one, drive(base, key, orders.otp, rate=capacity * share, seconds=seconds))
            rows.append((f"{share:.0%} of capacity ({capacity * share:,.0f}/s)", *times))
            p50s[f"{share:.0%}"] = times
        idle = _times(one, drive(base, key, orders.otp, rate=QUIET_RATE, seconds=seconds))
        rows.append((f"{QUIET_RATE:.0f}/s, idle system", *idle))
        during, drained = _beside(one, base, key, flood, seconds)
        rows.append((f"{QUIET_RATE:.0f}/s, while {flood:,} bulk rows drain ({drained:,.0f}/s)", *during))
    half = p50s["50%"]
    aims = [
        ("P50 at 50 % load, ms", f"{half[0]:.1f} (aim ≤ 10)"),
        ("P99 at 50 % load, ms", f"{half[2]:.1f} (aim ≤ 50)"),
        ("P50 beside a campaign against idle", figures.ratio(during[0], idle[0], 2, at_most=True)),
    ]
    drawn = {str(name): float(values[1]) for name, *values in rows}
    return Report(
        "From request to provider",
        figures.table(("codes", "P50 ms", "P95 ms", "P99 ms"), rows),
        aims,
        lambda path: plot.bars(path, "A code from its request to the provider, P95", "ms", drawn),
        ("One web process, one worker a lane, a provider that answers at once; a constant rate.",),
    )


def _capacity(one: Gateway, base: str, key: str) -> float:
    """Find how many codes a second get through: accepted without a pause, and drained meanwhile."""
    count = 3000
    done = deliver.sent(one)
    start = done()
    began = time.perf_counter()
    drive(base, key, orders.otp, rate=5000, seconds=count / 5000, threads=16)
    until(lambda: done() - start >= count, "the codes are sent", 120, 0.01)
    return count / (time.perf_counter() - began)


def _times(one: Gateway, sent: Sequence[Sent]) -> tuple[float, float, float]:
    """Give P50, P95 and P99 in ms, from due to accepted by the provider."""
    known = one.redis
    waits = []
    for message in sent:
        until(lambda message=message: _sent_at(known, message.id), "the code is sent", 60, 0.01)  # type: ignore[misc]
        waits.append((_sent_at(known, message.id) / 1000 - message.due) * 1000)
    cuts = statistics.quantiles(waits, n=100)
    return cuts[49], cuts[94], cuts[98]


def _sent_at(known: "redis.Redis", message_id: str) -> int:
    stored = known.hgetall(keys.record(MessageId(message_id)))
    record = Record.read(MessageId(message_id), stored)  # type: ignore[arg-type]
    return next((event.at for event in record.timeline if event.state is State.SENT), 0)


def _beside(one: Gateway, base: str, key: str, rows: int, seconds: float) -> tuple[tuple[float, float, float], float]:
    """Measure codes while a campaign drains; gives how many rows a second went meanwhile too."""
    upload = threading.Thread(target=deliver.upload, args=(base, key, rows))
    upload.start()
    upload.join()
    done = deliver.sent(one)
    first, began = done(), time.perf_counter()
    sent = drive(base, key, orders.otp, rate=QUIET_RATE, seconds=seconds)
    drained = (done() - first - len(sent)) / (time.perf_counter() - began)
    return _times(one, sent), drained

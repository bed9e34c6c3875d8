"""Scenario 4: the same work by other queues, on the same Redis, with the same SDK and provider."""

import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

from bench import figures, plot
from bench.gaps import Gaps
from bench.peers.contender import Contender, Field
from bench.peers.kills import LATENCY, PATIENCE, Toll, tolls
from bench.peers.ours import SINGLE, TOGETHER, ours
from bench.peers.rates import Rates, rates
from bench.peers.strangers import BATCHES, strangers
from bench.report import Report
from bench.system import redis_server, sandbox

LATENCIES: Final = (0, 50)
_AMOUNTS: Final = {0: 1200, 50: 400}
_KILLED: Final = 300
# Until everything has come that comes at all: leases and timeouts of half a minute, sweeps of up to 100 s, and, with
# us, a minute in which the provider may come to know a message.
_WAIT: Final = 180.0
_QUICK_WAIT: Final = 150.0
Found = dict[tuple[str, int], list[Rates]]
Medians = dict[tuple[str, int], figures.Figure]


def run(*, quick: bool) -> Report:
    everyone, gaps = [*ours(), *strangers()], Gaps()
    found: Found = defaultdict(list)
    for _ in range(1 if quick else 3):
        _one_turn(everyone, found, gaps, share=0.5 if quick else 1)
    drained = {
        (one.name, latency): figures.of(each.drained for each in found[one.name, latency])
        for one in everyone
        for latency in LATENCIES
    }
    wait = _QUICK_WAIT if quick else _WAIT
    paid = tolls(everyone, _KILLED, wait, gaps)
    return Report(
        "Other queues",
        _table(everyone, found, drained, paid),
        _aims(everyone, drained, paid),
        lambda path: _draw(path, everyone, drained),
        (_SET_UP, _GATHERED, f"Counted at the provider {wait:.0f} s after the last kill. {_KILLS}", _WHY),
        gaps.note,
    )


def _one_turn(everyone: list[Contender], found: Found, gaps: Gaps, *, share: float) -> None:
    amounts = {latency: int(_AMOUNTS[latency] * share) for latency in LATENCIES}
    with redis_server() as url, sandbox() as provider:
        for one in everyone:
            with gaps.allowed(one.name):
                for latency, rate in rates(one, Field(url, provider), amounts):
                    found[one.name, latency].append(rate)
                    print(
                        f"  {latency} ms {one.name}: in {rate.enqueued:,.0f}/s, out {rate.drained:,.0f}/s",
                        file=sys.stderr,
                    )


def _table(everyone: list[Contender], found: Found, drained: Medians, paid: dict[str, Toll]) -> str:
    head = (
        *("", "side by side", "enqueued in a second by one producer"),
        *(f"sent in a second, a provider of {latency} ms" for latency in LATENCIES),
        *("killed three times: enqueued", "not sent", "sent twice"),
    )
    rows = []
    for one in everyone:
        enqueued = figures.of(each.enqueued for latency in LATENCIES for each in found[one.name, latency])
        rows.append(
            (
                *(one.name, one.side_by_side, enqueued),
                *(drained[one.name, latency] for latency in LATENCIES),
                *_counts(paid.get(one.name)),
            )
        )
    return figures.table(head, rows)


def _counts(toll: Toll | None) -> tuple[object, ...]:
    return (toll.enqueued, toll.missing, toll.twice) if toll else ("not measured", "", "")


def _aims(everyone: list[Contender], drained: Medians, paid: dict[str, Toll]) -> list[tuple[str, str]]:
    others = [one.name for one in everyone if one.name not in (SINGLE, TOGETHER)]
    # A message by itself is held against those by themselves.
    by_itself = [name for name in others if name != BATCHES]
    aims = []
    for name, against in ((SINGLE, by_itself), (TOGETHER, others), (TOGETHER, [BATCHES])):
        for latency in LATENCIES:
            best = _best(against, latency, drained)
            what = f"the best of the others ({best})" if len(against) > 1 else best
            ratio = figures.ratio(drained[name, latency].median, drained[best, latency].median, 1)
            aims.append((f"{name}, against {what}, {latency} ms", ratio))
    for name in (SINGLE, TOGETHER):
        wrong = paid[name].missing + paid[name].twice if name in paid else math.nan
        aims.append((f"{name}: not sent, or sent twice, after three kills", figures.against(wrong, 0, at_most=True)))
    return aims


def _best(names: list[str], latency: int, drained: Medians) -> str:
    measured = [name for name in names if drained[name, latency].values]
    return max(measured or names, key=lambda name: drained[name, latency].median)


def _draw(path: Path, everyone: list[Contender], drained: Medians) -> None:
    values = {one.name: drained[one.name, LATENCIES[-1]].median for one in everyone}
    plot.bars(path, f"Sent in a second, a provider of {LATENCIES[-1]} ms", "messages", values)


_SET_UP: Final = (
    "Each is set up as its documentation has it and started by its own command; messages are enqueued one after the "
    "other, into a queue whose worker stands still (SIGSTOP). `arq` and `taskiq` call the SDK's asynchronous method, "
    "which over HTTPS makes a TLS context for every call and then sends some 30 in a second; here it is HTTP. `rq` has "
    "no threads: a process for each message in hand, by default with a fork for each message, which imports the SDK "
    "anew. `arq` by default takes 8 messages twice a second; the second row lets it look more often. No receipts are "
    "pushed."
)
_GATHERED: Final = (
    f"`{BATCHES}` is celery-batches with `flush_every=100` and `flush_interval=2`: a hundred messages, or those of two "
    "seconds, gather in a worker's memory and leave in one SendBatchSms; the prefetch is 100 for each process. With us "
    "as many gather in Redis. Of a batch in which the provider throws, celery-batches acknowledges every message."
)
_KILLS: Final = (
    "Killed: SIGKILL to the worker and all its children, three times, each time with messages in hand, a provider of "
    f"{LATENCY} ms; started again at once, and given a few messages more. Where a queue lets one "
    f"choose after how long a dead worker's messages are taken again it was {PATIENCE} s (arq's job_timeout, "
    "taskiq's idle_timeout and unacknowledged_lock_timeout, dramatiq's heartbeat_timeout with maintenance two hundred "
    "times as often, Celery's visibility_timeout), in place of one to sixty minutes; ours has a lease of 45 s."
)
_WHY: Final = (
    "Whether a message was sent that was in a killed worker's hands only the provider knows. A queue that takes it "
    "again sends it twice. One that does not is in luck where the call was on its way, since the provider takes it; "
    "what had been taken from the queue and not begun is lost. We ask the provider first. Not sent is what has not "
    "come by then: `rq` looks for what was abandoned every ten minutes and may find it yet; what is gone from a list "
    "is gone."
)

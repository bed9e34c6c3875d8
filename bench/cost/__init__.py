"""Scenario 5: what a message costs in time and memory, the more there are."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench import figures, plot
from bench.cost import ends, growth
from bench.cost.curve import Point, measure
from bench.cost.weight import KINDS
from bench.gaps import Gaps
from bench.report import Report

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
_MOST: Final = 1024
_TIMES: Final = {
    "enqueue": "accepting them",
    "drain": "sending them",
    "bury": "their refusal, each a dead letter",
    "status": "one status query",
    "page": "one page of dead letters",
}
# These are for one answer, however many messages there are; the others for all messages.
_FOR_ONE: Final = ("status", "page")


def run(*, quick: bool) -> Report:
    points: list[Point] = []
    weights: dict[str, list[ends.Weight]] = {}
    gaps = Gaps()
    for size in SIZES[:2] if quick else SIZES:
        with gaps.allowed(f"{size:,} messages"):
            points.append(_told(measure(size)))
    for name, weigh in {"a row of a batch": ends.row_of_a_batch, "a code": ends.code}.items():
        with gaps.allowed(f"the weight of {name}"):
            weights[name] = weigh(1_000 if quick else 10_000)
    return Report(
        "The cost of many",
        f"{_curve(points)}\n{_growth(points)}\n{_weights(weights)}",
        [*_growth_aims(points), *_weight_aims(weights)],
        lambda path: _draw(path, points),
        _NOTES,
        gaps.note,
    )


def _told(point: Point) -> Point:
    print(f"  {point}", file=sys.stderr)
    return point


def _curve(points: Sequence[Point]) -> str:
    head = (
        *("messages", "accepted in a second", "sent in a second", "a status query, P50, ms"),
        *("dead letters made in a second", "a page of 50 of them, P50, ms"),
        *("bytes each: queued", "sent", "dead", "web, MiB", "worker, MiB"),
    )
    rows = [
        (
            *(one.size, one.size / one.enqueue, one.size / one.drain, one.status),
            *(one.bury and one.size / one.bury, one.page),
            *(one.queued_bytes, one.sent_bytes, one.dead_bytes, one.web_memory, one.worker_memory),
        )
        for one in points
    ]
    return figures.table(head, rows)


def _growth(points: Sequence[Point]) -> str:
    return figures.table(("the time of", "grows"), [(what, _verdict(points, name)) for name, what in _TIMES.items()])


def _verdict(points: Sequence[Point], name: str) -> str:
    sizes, costs = _of(points, name)
    if name not in _FOR_ONE:
        return growth.verdict(sizes, costs)
    return f"n^{growth.exponent(sizes, costs):.2f}"


def _of(points: Sequence[Point], name: str) -> tuple[list[float], list[float]]:
    known = {float(one.size): asdict(one)[name] for one in points}
    return [size for size, cost in known.items() if cost], [float(cost) for cost in known.values() if cost]


def _growth_aims(points: Sequence[Point]) -> list[tuple[str, str]]:
    aims = []
    for name, what in _TIMES.items():
        sizes, costs = _of(points, name)
        # A tenth beyond what sorting would show is this machine's noise; a single answer may grow by a logarithm.
        aim = 0.15 if name in _FOR_ONE else growth.of_sorting(sizes) + 0.1
        found = growth.exponent(sizes, costs)
        aims.append((f"exponent of the time of {what}", figures.against(found, round(aim, 2), at_most=True)))
    return aims


def _weights(weights: dict[str, list[ends.Weight]]) -> str:
    head = ("bytes in Redis for each", "", "in all", *KINDS)
    rows = [
        (name, one.when, one.whole, *(one.kinds.get(kind, 0.0) for kind in KINDS))
        for name, known in weights.items()
        for one in known
    ]
    return figures.table(head, rows)


def _weight_aims(weights: dict[str, list[ends.Weight]]) -> list[tuple[str, str]]:
    return [
        (f"{name}, after its end", figures.against(known[-1].whole, _MOST, " bytes", at_most=True))
        for name, known in weights.items()
    ]


def _draw(path: Path, points: Sequence[Point]) -> None:
    curves = {what: _of(points, name) for name, what in _TIMES.items()}
    for name in _FOR_ONE:
        sizes, costs = curves.pop(_TIMES[name])
        curves[f"{_TIMES[name]} (ms)"] = (sizes, costs)
    plot.lines(path, "The cost of many", ("messages", "seconds for all of them"), curves)


_HOW: Final = (
    "Rows of batches, from two clients in uploads of up to 50,000; sent by one worker of 8 threads, up to a hundred in "
    "a call, to a provider of 0 ms that pushes no receipts. The status query is for messages by chance, while all wait "
    "in the queue; dead letters are rows with a template that the provider refuses, beside as many that were sent; of "
    "a million there are none. Bytes are what Redis has allocated for them, divided by how many there are; a few "
    "hundred thousand that it keeps for buffers are in it, which shows at a thousand messages."
)
_KINDS: Final = (
    "By kind: MEMORY USAGE of every key, and Redis's tables of keys, which double by steps. Queued messages of a batch "
    "wait as ids in a group, codes as Celery messages. Delivered: receipts are pushed, every message has come to its "
    "end, and nothing waits any more."
)
_NOTES: Final = (_HOW, _KINDS)

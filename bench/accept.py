"""Scenario 1: what a web process accepts in a second, and how long its client waits."""

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from bench import figures, plot
from bench.doors import BARE, BARE_ALONE, OURS, PLAIN, PLAIN_ALONE, doors, waiting
from bench.figures import Figure
from bench.gaps import Gaps
from bench.report import Report
from bench.uploads import RAW, uploads
from bench.wrk import Load, program

CONNECTIONS: Final = (1, 64, 1000)
# The number of connections at which doors are held against each other.
USUAL: Final = 64
Loads = dict[tuple[str, int], list[Load]]


def run(*, quick: bool) -> Report:
    gaps = Gaps()
    batches = uploads(gaps, runs=1 if quick else 3, rows=20_000 if quick else 100_000)
    found: Loads = defaultdict(list)
    with gaps.allowed("one message a request"):
        runs, seconds, opened, latencies = (1, 2, (USUAL,), (80,)) if quick else (3, 3, CONNECTIONS, (80, 800))
        _knock(found, gaps, [(open_, seconds) for open_ in opened for _ in range(runs)], latencies)
    connections = list(dict.fromkeys(open_ for _, open_ in found))
    tables = [_table(found, open_) for open_ in connections]
    drawn = {name: _rates(loads).median for (name, open_), loads in found.items() if open_ == USUAL} | {
        name: one.median for name, one in batches.items()
    }
    return Report(
        "Accepting",
        "\n".join([*tables, "Batches, as NDJSON:\n", figures.table(("", "rows/s"), batches.items())]),
        _aims(drawn),
        lambda path: plot.bars(path, f"Accepting, {USUAL} connections", "messages a second", drawn),
        NOTES,
        gaps.note,
    )


NOTES: Final = (
    """One web process of one worker each; the plain views on granian run under the options of ours, and with one
thread, which suits some better. wrk has one thread, and each request of a run goes to a number of its own. Median of
the runs, which take turns (least to most).""",
    """The plain views are what people write: the defaults of Celery and Gunicorn. They check nothing, know no keys and
keep no record; ours does.""",
)


def _knock(found: Loads, gaps: Gaps, turns: Sequence[tuple[int, float]], latencies: Sequence[int]) -> None:
    """Load every door in turns, so that a busy moment of the machine falls on all of them.

    Raises:
        CannotRun: There is no wrk.
    """
    program()
    slow = [waiting(latency) for latency in latencies]
    with ExitStack() as stack:
        every = doors(stack, latencies)
        for name, knock in every.items():
            with gaps.allowed(name):
                knock(USUAL, 1)
        for open_, seconds in turns:
            for name, knock in every.items():
                # With more connections than threads only the queue before them grows.
                if name in slow and open_ > USUAL:
                    continue
                with gaps.allowed(f"{name}, {open_} connections"):
                    found[name, open_].append(knock(open_, seconds))
                    print(f"  {open_} connections, {name}: {found[name, open_][-1].rate:,.0f}/s", file=sys.stderr)


def _rates(loads: Iterable[Load]) -> Figure:
    return figures.of(one.rate for one in loads)


def _table(found: Loads, connections: int) -> str:
    rows = [
        (
            name,
            _rates(loads),
            figures.of(one.p50 for one in loads),
            figures.of(one.p99 for one in loads),
            "; ".join(dict.fromkeys(one.wrong for one in loads if one.wrong)),
        )
        for (name, open_), loads in found.items()
        if open_ == connections
    ]
    return figures.table((f"{connections:,} connections", "requests/s", "P50 ms", "P99 ms", "errors"), rows)


def _aims(rates: Mapping[str, float]) -> list[tuple[str, str]]:
    best = max((rate for name, rate in rates.items() if "/v1/batches" in name), default=math.nan)
    # Without wrk there is none of them: an aim without a figure counts as short.
    ours = rates.get(OURS, math.nan)
    plain, bare = (max(rates.get(one, 0) for one in pair) for pair in ((PLAIN, PLAIN_ALONE), (BARE, BARE_ALONE)))
    return [
        ("single against the plain apply_async view, same server, its better options", figures.ratio(ours, plain, 2.5)),
        ("single against the bare view, same server, its better options", figures.ratio(ours, bare, 0.33)),
        ("batch, messages a second in one web process", figures.against(best, 15_000, "/s")),
        ("batch against raw pipelined LPUSH", figures.ratio(best, rates.get(RAW, math.nan), 0.3)),
    ]
